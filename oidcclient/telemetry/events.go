package telemetry

import "log/slog"

// An event is what is recorded of one message of the library's log.
type event struct {
	name     string   // value of rely.event, and name of the span event
	metric   []string // keys of the record that become attributes of rely.events and of the span event
	span     []string // keys that are attributes of the span event only: too many values for a metric, or none of its business
	sessions bool     // counts in rely.sessions.ended too: as many as count says, or one
}

// events lists the messages of the library that are recorded. error is nowhere:
// its text is made for a log.
func events() map[string]event {
	client, refused := []string{"client"}, []string{"client", "code", "check"}
	status := []string{"status"}
	return map[string]event{
		"login started":                  {name: "login.started", metric: client, span: []string{"link"}},
		"login finished":                 {name: "login.finished", metric: client},
		"login linked":                   {name: "login.linked", metric: client},
		"login refused":                  {name: "login.refused", metric: refused, span: status},
		"request refused":                {name: "request.refused", metric: refused, span: status},
		"request failed":                 {name: "request.failed", metric: refused, span: status},
		"session refreshed":              {name: "session.refreshed", metric: client},
		"refresh refused":                {name: "refresh.refused", metric: refused},
		"refresh failed":                 {name: "refresh.failed", metric: refused, span: status},
		"session ended":                  {name: "session.ended", metric: []string{"client", "reason"}, sessions: true},
		"sessions ended":                 {name: "sessions.ended", metric: []string{"client", "reason"}, span: []string{"count"}, sessions: true},
		"provider's logout not reached":  {name: "logout.not_reached", metric: client},
		"session store failed":           {name: "store.failed", metric: []string{"operation"}},
		"tokens not stored":              {name: "tokens.not_stored", metric: client},
		"session cookie not renewed":     {name: "cookie.not_renewed"},
		"stored session can't be opened": {name: "session.not_opened"},
		"provider found":                 {name: "provider.found", metric: []string{"issuer"}, span: []string{"client_id"}},
		"provider not found":             {name: "provider.not_found", metric: []string{"issuer"}, span: []string{"client_id"}},
		"keys fetched":                   {name: "keys.fetched", metric: []string{"host"}, span: []string{"keys"}},
		"keys not fetched":               {name: "keys.not_fetched", metric: []string{"host"}},
		"userinfo not renewed":           {name: "userinfo.not_renewed", metric: client},
		"client not completed":           {name: "client.not_completed"},
		"claim source not believed":      {name: "claims.not_believed"},
		"claim sources not read":         {name: "claims.not_read"},
	}
}

// attributeKind is the kind that the value of a key has to have to be recorded.
func attributeKind(key string) slog.Kind {
	switch key {
	case "status", "count", "keys":
		return slog.KindInt64
	case "link":
		return slog.KindBool
	}
	return slog.KindString
}

// registeredCodes are the values of code that are recorded as they are; any other
// is a provider's invention and becomes "_OTHER", because whoever chooses values
// would choose how many series there are and what they say.
func registeredCodes() map[string]bool {
	codes := map[string]bool{}
	for _, code := range []string{
		// RFC 6749 §4.1.2.1, §5.2
		"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
		"server_error", "temporarily_unavailable", "invalid_client", "invalid_grant", "unsupported_grant_type",
		// OpenID Connect Core §3.1.2.6
		"interaction_required", "login_required", "account_selection_required", "consent_required",
		"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported", "registration_not_supported",
		// OpenID Connect Core Unmet Authentication Requirements, RFC 6750 §3.1, RFC 8707, RFC 9449, RFC 9470
		"unmet_authentication_requirements", "invalid_token", "insufficient_scope", "invalid_target",
		"invalid_dpop_proof", "use_dpop_nonce", "insufficient_user_authentication",
		// weblogin's own
		"login_refused", "provider_error", "not_found", "method_not_allowed", "cross_site", "internal_error",
		// oidcclient's name for a code that could carry something else
		"unprintable_error",
	} {
		codes[code] = true
	}
	return codes
}
