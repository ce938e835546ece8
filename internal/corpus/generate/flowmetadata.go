package main

import "strings"

// document is the text of good metadata with members changed.
func document(change ...any) string {
	return toJSON(with(object{
		"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
		"jwks_uri": issuer + "/jwks", "code_challenge_methods_supported": []string{"S256"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}, change...))
}

// altered is good metadata with a piece of its text replaced.
func altered(old, new string) string { return strings.Replace(document(), old, new, 1) }

func metadataCases(_ keyring, c *collection) {
	bad := func(name, about, reason, input string, fields ...string) entry {
		return entry{name: name, expect: "discovery", about: about, input: input, fields: append(fields, "reason: "+reason)}
	}
	another := func(name, about, value string) entry {
		return entry{name: name, expect: "issuer", about: about, input: document("issuer", value)}
	}
	c.addAll("metadata", "T32",
		entry{name: "good", about: "S256 is among the methods", input: document()},
		entry{name: "methods not said", about: "the list of methods is absent, which says nothing", input: document("code_challenge_methods_supported", gone{})},
		bad("plain only", "PKCE only with plain", "S256", document("code_challenge_methods_supported", []string{"plain"})),
		bad("no method", "an empty list of methods", "S256", document("code_challenge_methods_supported", []string{})),
		bad("method in lower case", "s256 is not S256", "S256", document("code_challenge_methods_supported", []string{"s256"})),
		bad("methods a string", "the list of methods is a string", "wrong type", document("code_challenge_methods_supported", "S256")),
	)
	c.addAll("metadata", "T54",
		another("issuer with slash", "a slash behind the issuer", issuer+"/"),
		another("issuer over http", "the issuer with http", "http://op.example"),
		another("issuer with query", "a query behind the issuer", issuer+"?x"),
		another("issuer with fragment", "a fragment behind the issuer", issuer+"#x"),
		another("issuer in upper case", "another case of the host", "https://OP.example"),
		another("issuer with port", "the default port is written", issuer+":443"),
		another("issuer with prefix", "the issuer is only the beginning", issuer+".evil.example"),
		another("issuer look-alike", "a Cyrillic letter in the host", "https://оp.example"),
		another("issuer with blank", "a blank behind the issuer", issuer+" "),
		another("issuer empty", "the issuer is empty", ""),
		entry{name: "issuer missing", expect: "issuer", about: "there is no issuer", input: document("issuer", gone{})},
		entry{name: "issuer null", expect: "issuer", about: "the issuer is null", input: document("issuer", nil)},
		entry{name: "issuer member in upper case", expect: "issuer", about: "Issuer is not issuer", input: altered(`"issuer"`, `"Issuer"`)},
		bad("issuer in a list", "the issuer is an array", "wrong type", document("issuer", []string{issuer})),
		entry{name: "configured issuer over http", expect: "config", about: "the configured issuer is http", fields: []string{"issuer: http://op.example"}, input: document()},
		entry{name: "configured issuer with query", expect: "config", about: "the configured issuer has a query", fields: []string{"issuer: https://op.example?x"}, input: document()},
		entry{name: "configured issuer with fragment", expect: "config", about: "the configured issuer has a fragment", fields: []string{"issuer: https://op.example#x"}, input: document()},
		entry{name: "elsewhere", about: "the document is at another place that was configured", fields: []string{"location: https://other.example"}, input: document()},
	)
	c.addAll("metadata", "T33",
		another("another provider", "the document of another provider", "https://evil.example"),
		entry{name: "another provider elsewhere", expect: "issuer", about: "another issuer at the configured place", fields: []string{"location: https://other.example"}, input: document("issuer", "https://other.example")},
		entry{name: "iss announced", about: "iss is announced for callbacks", input: document("authorization_response_iss_parameter_supported", true)},
		bad("iss announced as string", "a string where a boolean belongs", "wrong type", document("authorization_response_iss_parameter_supported", "false")),
	)
}

// documentCases are about the text of a document and how it is sent.
func documentCases(_ keyring, c *collection) {
	bad := func(name, about, reason, input string, fields ...string) entry {
		return entry{name: name, expect: "discovery", about: about, input: input, fields: append(fields, "reason: "+reason)}
	}
	c.addAll("metadata", "T29",
		bad("issuer twice", "the second issuer is the good one", "strict JSON", altered(`{`, `{"issuer":"https://evil.example",`)),
		bad("token endpoint twice", "the last token endpoint is the attacker's", "strict JSON", altered(`}`, `,"token_endpoint":"https://evil.example/token"}`)),
		bad("twice by an escape", "the same name, once with an escape", "strict JSON", altered(`{`, `{"\u0069ssuer":"https://evil.example",`)),
		bad("unknown member twice", "a member nobody reads is there twice", "strict JSON", altered(`{`, `{"x":1,"x":2,`)),
		bad("trailing data", "another object behind the document", "strict JSON", document()+document()),
		bad("cut off", "the last brace is missing", "strict JSON", strings.TrimSuffix(document(), "}")),
		bad("invalid utf-8", "a byte that is no UTF-8", "strict JSON", altered(`{`, "{\"x\":\"\xff\",")),
		bad("byte order mark", "a byte order mark in front", "strict JSON", "\ufeff"+document()),
		bad("deep", "ten thousand arrays in each other", "strict JSON", altered(`{`, `{"x":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000)+`,`)),
		bad("array", "an array of documents", "strict JSON", "["+document()+"]"),
		bad("nothing", "an empty body", "strict JSON", ""),
		bad("null document", "the text null", "strict JSON", "null"),
	)
	c.addAll("metadata", "T53",
		bad("html", "a page with 200", "content type", "<html></html>", "content-type: text/html"),
		bad("text", "a good document that says it is text", "content type", document(), "content-type: text/plain"),
		bad("html as json", "a page that says it is JSON", "strict JSON", "<html></html>"),
		bad("too large", "more than a mebibyte", "larger", altered(`{`, `{"x":"`+strings.Repeat("aaaa", 300_000)+`",`)),
		bad("100000 members", "too many members to be read", "larger", document(), "members: 100000"),
		entry{name: "1000 members", about: "a thousand members that nobody reads", fields: []string{"members: 1000"}, input: document()},
		entry{name: "other json type", about: "a content type ending in +json, with a charset", fields: []string{"content-type: application/jrd+json; charset=utf-8"}, input: document()},
		bad("not found", "a good document with 404", "200", document(), "status: 404"),
		bad("moved", "a redirect", "200", document(), "status: 302"),
		bad("partial", "a good document with 206", "200", document(), "status: 206"),
		entry{name: "unavailable", expect: "outage", about: "a good document with 503", fields: []string{"status: 503"}, input: document()},
		entry{name: "too many requests", expect: "outage", about: "429", fields: []string{"status: 429"}, input: "slow down"},
	)
}

// endpointCases are about where the document sends the client.
func endpointCases(_ keyring, c *collection) {
	for name, member := range map[string]string{
		"authorization": "authorization_endpoint", "token": "token_endpoint", "userinfo": "userinfo_endpoint",
		"jwks": "jwks_uri", "logout": "end_session_endpoint",
	} {
		for what, target := range map[string]string{
			"over http": "http://op.example/x", "a file": "file:///etc/passwd", "with user": "https://user:word@op.example/x",
			"with another user": "https://op.example@evil.example/x", "at loopback": "https://127.0.0.1/x", "at loopback over http": "http://127.0.0.1/x",
			"at localhost": "https://localhost/x", "at ipv6 loopback": "https://[::1]/x", "at link-local": "https://169.254.169.254/latest/meta-data",
			"at mapped address": "https://[::ffff:169.254.169.254]/x", "at private address": "https://10.0.0.1/x",
			"a script": "javascript:alert(1)", "data": "data:text/html,x", "relative": "/x", "without scheme": "//op.example/x",
			"opaque": "https:op.example/x", "with fragment": "https://op.example/x#y", "with line feed": "https://op.example/x\r\nHost: evil.example",
			"at trailing dot": "https://localhost./x", "at localhost subdomain": "https://a.localhost/x",
			"at short address": "https://127.1/x", "at decimal address": "https://2130706433/x", "at hexadecimal address": "https://0x7f000001/x",
		} {
			class := "T52"
			if strings.Contains(what, "http") && !strings.Contains(what, "loopback") {
				class = "T55"
			}
			c.addAll("metadata", class, entry{
				name: name + " " + what, expect: "discovery", about: member + " that must not be used", fields: []string{"reason: " + member},
				input: document(member, target),
			})
		}
		c.addAll("metadata", "T55", entry{name: name + " a number", expect: "discovery", about: member + " is no string", fields: []string{"reason: wrong type"}, input: document(member, 7)})
	}
	c.addAll("metadata", "T55",
		entry{name: "token endpoint of another", about: "another host is allowed: the audience of assertions is the issuer all the same", input: document("token_endpoint", "https://login.example/token")},
		entry{name: "token endpoint missing", expect: "discovery", about: "no token endpoint", fields: []string{"reason: lack"}, input: document("token_endpoint", gone{})},
		entry{name: "jwks missing", expect: "discovery", about: "no jwks_uri", fields: []string{"reason: lack"}, input: document("jwks_uri", gone{})},
		entry{name: "jwks empty", expect: "discovery", about: "an empty jwks_uri", fields: []string{"reason: lack"}, input: document("jwks_uri", "")},
		entry{name: "authorization endpoint with query", about: "a query is allowed", input: document("authorization_endpoint", issuer+"/a?tenant=7")},
	)
	c.addAll("metadata", "T01",
		entry{name: "only none", about: "the list of algorithms is not what the client goes by", input: document("id_token_signing_alg_values_supported", []string{"none"})},
		entry{name: "unknown algorithms", about: "algorithms that nobody knows", input: document("id_token_signing_alg_values_supported", []string{"XX999", "HS256"})},
	)
}
