package corpus

// The kinds of what a login gets beside tokens. Unless a case says otherwise, the
// client is client-1 at the issuer https://op.example, the moment is 1790000000,
// and sealed texts are sealed with the 32 characters of keys/sealing.txt.

// Metadata is the kind of bodies that answer a discovery request. Expectations:
// "issuer", the document is another issuer's; "discovery", it is refused for the
// reason whose words the field "reason" has; "outage", asking later may help;
// "config", the client can't be made. Fields: "status" and "content-type" of the
// answer, by default 200 and application/json; "issuer", the configured one;
// "location", where the document is if not at the issuer's own place; "members",
// a number of further members, m000000 and so on, which are put in front.
func Metadata() Kind {
	return Kind{
		Name: "metadata", Expect: []string{"issuer", "discovery", "outage", "config"},
		Fields: []string{"status", "content-type", "issuer", "location", "members", "reason"},
	}
}

// Callback is the kind of authorization responses: a raw query, or the body of a
// form where "method" is POST. The login it answers has the state
// state-of-this-login and is good for ten minutes. "ok" means that the code is
// sent to the provider, once. Other expectations are checks of the client;
// "query", what comes can't be read; "response_mode" and "replay", which only a
// handler can see; and "error", the provider's, whose code the field "code" has.
// Fields: "response-mode" of the request, "advertised: yes" where the provider
// announces iss, "times", how often the same answer comes, and "now".
func Callback() Kind {
	return Kind{
		Name:   "callback",
		Expect: []string{"parameters", "state", "iss", "expired", "code", "query", "response_mode", "replay", "error"},
		Fields: []string{"method", "response-mode", "advertised", "times", "now", "code"},
	}
}

// Pending is the kind of sealed logins as a browser brings them back, with a good
// callback for the state state-of-this-login. Expectations: "sealed", it can't be
// opened; or the check of the client that refuses it.
func Pending() Kind {
	return Kind{Name: "pending", Expect: []string{"sealed", "pending", "state", "expired"}}
}

// Cookie is the kind of Cookie headers, and of what a store gives for a session.
// The field "at" says what the input is: "callback", the header of a good callback
// of the client "op"; "session", the header of a request that needs a session;
// "record", the data of the record that the cookie of the file good-session leads
// to; or "cookies", the header of a request where sessions live in cookies.
// Expectations: "state", no login waits in this browser; "client", the login
// is for another client; "expired"; "login_required", there is no session.
func Cookie() Kind {
	return Kind{Name: "cookie", Expect: []string{"state", "client", "expired", "login_required"}, Fields: []string{"at"}}
}

// Assertion is the kind of a signer's configurations, each an object in JSON:
// client; key, the name of a file in the folder keys; secret; alg; kid; naming,
// "x5c" or "x5t#S256" or absent; certificates, a text in PEM; bind; lifetime and
// backdate in seconds; nbf; audience. "refused" means that nothing is signed.
func Assertion() Kind {
	return Kind{Name: "assertion", Expect: []string{"refused"}}
}

// FlowKinds are all of the above.
func FlowKinds() []Kind {
	return []Kind{Metadata(), Callback(), Pending(), Cookie(), Assertion()}
}
