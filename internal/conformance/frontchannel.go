package conformance

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// responseTypes are those of OpenID Connect Core §3 that have a code or an ID token.
var responseTypes = []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}

// authorize answers an authorization request at once, in any response type of
// OpenID Connect and OAuth 2.0 Multiple Response Types.
func (op *OP) authorize(call *Call) *Answer {
	params := call.Query
	if call.Method == http.MethodPost {
		params = call.Form
	}
	return op.Respond(params)
}

// Respond is the authorization response to these parameters, for endpoints that
// got them in another way than the query.
func (op *OP) Respond(params url.Values) *Answer {
	if !op.understands(params) {
		return refusal(http.StatusBadRequest, "invalid_request")
	}
	g := &Grant{Params: params, Subject: "user-subject-1234531", SessionID: "session-" + random(), AuthTime: op.Now}
	types := strings.Fields(params.Get("response_type"))
	mode := params.Get("response_mode")
	usual := "fragment"
	if params.Get("response_type") == "code" {
		usual = "query"
	}
	if mode == "" {
		mode = usual
	}
	out := url.Values{"state": {params.Get("state")}}
	var code, access string
	if slices.Contains(types, "code") {
		code = "code-" + random()
		op.grants[code] = g
		out.Set("code", code)
	}
	if slices.Contains(types, "token") {
		access = op.accessToken(g)
		out.Set("access_token", access)
		out.Set("token_type", "Bearer")
		out.Set("expires_in", "300")
	}
	if slices.Contains(types, "id_token") {
		out.Set("id_token", op.idToken(FrontToken, g, access, code))
	}
	if plain, signed := strings.CutSuffix(mode, "jwt"); signed {
		if mode = strings.TrimSuffix(plain, "."); mode == "" {
			mode = usual
		}
		out = url.Values{"response": {op.response(out)}}
	}
	return &Answer{To: op.Client.RedirectURI, Mode: mode, Params: out}
}

// understands reports whether parameters are a request of the one client's: each is
// there once, a nonce wherever an ID token comes with the browser (OpenID Connect Core
// §3.2.2.1); a hint is an ID token from here, and a challenge of S256 (RFC 7636 §4.3).
func (op *OP) understands(params url.Values) bool {
	for _, values := range params {
		if len(values) != 1 {
			return false
		}
	}
	challenge, front := params.Get("code_challenge"), slices.Contains(strings.Fields(params.Get("response_type")), "id_token")
	return params.Get("client_id") == op.Client.ID && params.Get("redirect_uri") == op.Client.RedirectURI &&
		slices.Contains(responseTypes, params.Get("response_type")) && (params.Has("nonce") || !front) &&
		(!params.Has("id_token_hint") || op.issued[params.Get("id_token_hint")]) &&
		(challenge == "" && !params.Has("code_challenge_method") || len(challenge) == 43 && params.Get("code_challenge_method") == "S256")
}

// response signs an authorization response (JARM §2.1).
func (op *OP) response(params url.Values) string {
	claims := map[string]any{"iss": op.Issuer, "aud": op.Client.ID, "exp": op.Now.Add(time.Minute).Unix()}
	for name := range params {
		claims[name] = params.Get(name)
	}
	return op.Sign(ResponseToken, claims)
}

// formPage is a page that posts itself (OAuth 2.0 Form Post Response Mode §4).
func formPage(to string, params url.Values) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><body onload=\"document.forms[0].submit()\"><form method=\"post\" action=\"%s\">", html.EscapeString(to))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		for _, value := range params[name] {
			fmt.Fprintf(&b, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", html.EscapeString(name), html.EscapeString(value))
		}
	}
	b.WriteString("</form>")
	return []byte(b.String())
}

// endSession sends the browser back at once (RP-Initiated Logout §2, §3): where the
// client has registered to be sent to, and for an ID token that was issued here.
func (op *OP) endSession(call *Call) *Answer {
	to := call.Param("post_logout_redirect_uri")
	if !op.issued[call.Param("id_token_hint")] || call.Param("client_id") != op.Client.ID || to == "" || to != op.Client.PostLogoutRedirectURI {
		return refusal(http.StatusBadRequest, "invalid_request")
	}
	out := url.Values{}
	if state := call.Param("state"); state != "" {
		out.Set("state", state)
	}
	return &Answer{To: to, Mode: "query", Params: out}
}
