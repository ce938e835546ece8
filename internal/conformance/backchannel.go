package conformance

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

func random() string { return rand.Text() }

// discovery is the metadata (OpenID Connect Discovery §3), as far as a client of
// any response type wants to know them.
func (op *OP) discovery(*Call) *Answer {
	members := map[string]any{
		"issuer":                                op.Issuer,
		"response_types_supported":              responseTypes,
		"response_modes_supported":              []string{"query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"},
		"subject_types_supported":               []string{"public", "pairwise"},
		"id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256", "PS256", "ES256", "ES256K", "EdDSA"},
		"token_endpoint_auth_methods_supported": authMethods,
		"claims_supported":                      []string{"sub", "name", "email"},
		"scopes_supported":                      []string{"openid", "profile", "email", "phone", "address", "offline_access"},
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	for _, e := range op.endpoints {
		if e.member != "" {
			members[e.member] = op.Issuer + e.path
		}
	}
	return object(members)
}

func (op *OP) jwks(*Call) *Answer {
	keys := []any{}
	for _, k := range op.Keys {
		keys = append(keys, k.JWK)
	}
	return object(map[string]any{"keys": keys})
}

// secretBasic demands client_secret_basic with both parts in the form encoding
// (RFC 6749 §2.3.1), and the secret nowhere else.
func secretBasic(op *OP, call *Call) bool {
	id, secret, ok := call.Request.BasicAuth()
	id, badID := url.QueryUnescape(id)
	secret, badSecret := url.QueryUnescape(secret)
	return ok && badID == nil && badSecret == nil && id == op.Client.ID && secret == op.Client.Secret &&
		!call.Form.Has("client_secret") && !call.Form.Has("client_assertion")
}

// token is the token endpoint (RFC 6749 §4.1.3, §4.4.2, §6; OpenID Connect CIBA Core
// §10.1): it looks at no parameter but those of the grant_type.
func (op *OP) token(call *Call) *Answer {
	if !op.Authenticate(op, call) {
		return refusal(http.StatusUnauthorized, "invalid_client")
	}
	switch call.Form.Get("grant_type") {
	case "authorization_code":
		if g := op.take("code-", call.Form.Get("code")); g != nil && op.redeems(g, call.Form) {
			return object(op.Tokens(CodeToken, g))
		}
	case "refresh_token":
		if g := op.take("refresh-", call.Form.Get("refresh_token")); g != nil {
			return object(op.Tokens(RefreshedToken, g))
		}
	case "urn:openid:params:grant-type:ciba":
		g, refused := op.agreed(call.Form.Get("auth_req_id"))
		if refused != nil {
			return refused
		}
		return object(op.Tokens(CodeToken, g))
	case "client_credentials":
		// Nobody's: the application's own (RFC 6749 §4.4.3).
		g := &Grant{Params: url.Values{"scope": {call.Form.Get("scope")}}}
		return object(map[string]any{"access_token": op.accessToken(g), "token_type": "Bearer", "expires_in": 300})
	default:
		return refusal(http.StatusBadRequest, "unsupported_grant_type")
	}
	return refusal(http.StatusBadRequest, "invalid_grant")
}

// take returns the grant of that name, whose kind is what the name begins with, and
// forgets it: each is good once.
func (op *OP) take(kind, name string) *Grant {
	if !strings.HasPrefix(name, kind) {
		return nil
	}
	g := op.grants[name]
	delete(op.grants, name)
	return g
}

// redeems reports whether a token request is by whom the code was given to: it names
// the redirect URI of the authorization request and proves the challenge of it.
func (op *OP) redeems(g *Grant, form url.Values) bool {
	return form.Get("redirect_uri") == g.Params.Get("redirect_uri") &&
		(op.ForgetsPKCE || provesChallenge(g.Params.Get("code_challenge"), form.Get("code_verifier")))
}

// Tokens are the members of a token answer for a grant.
func (op *OP) Tokens(kind Kind, g *Grant) map[string]any {
	access, refresh := op.accessToken(g), "refresh-"+random()
	op.grants[refresh] = g
	members := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 300, "refresh_token": refresh, "scope": g.Params.Get("scope"),
	}
	if slices.Contains(strings.Fields(g.Params.Get("scope")), "openid") {
		members["id_token"] = op.idToken(kind, g, access, "")
	}
	return members
}

func (op *OP) accessToken(g *Grant) string {
	access := "access-" + random()
	op.grants[access] = g
	return access
}

// verifiers are what RFC 7636 §4.1 says they are.
var verifiers = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// provesChallenge checks S256 (RFC 7636 §4.6).
func provesChallenge(challenge, verifier string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return challenge == "" && verifier == "" || verifiers.MatchString(verifier) && challenge == number(sum[:])
}

// userinfo takes the access token from the header (RFC 6750 §2.1).
func (op *OP) userinfo(call *Call) *Answer {
	access, bearer := strings.CutPrefix(call.Header.Get("Authorization"), "Bearer ")
	g := op.grants[access]
	if !bearer || g == nil || call.Param("access_token") != "" {
		a := refusal(http.StatusUnauthorized, "invalid_token")
		a.Header = http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}}
		return a
	}
	return object(op.Person(g))
}

// Person is what userinfo says for the scopes of a grant (OpenID Connect Core §5.4).
func (op *OP) Person(g *Grant) map[string]any {
	claims, scopes := map[string]any{"sub": g.Subject}, strings.Fields(g.Params.Get("scope"))
	if slices.Contains(scopes, "profile") {
		claims["name"] = "Demo T. User"
	}
	if slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = "user@example.com", false
	}
	return claims
}

// webFinger names the issuer of the one account (OpenID Connect Discovery §2).
func (op *OP) webFinger(call *Call) *Answer {
	if op.Account == "" || call.Query.Get("resource") != op.Account {
		return refusal(http.StatusNotFound, "not_found")
	}
	a := object(map[string]any{
		"subject": op.Account,
		"links":   []any{map[string]any{"rel": "http://openid.net/specs/connect/1.0/issuer", "href": op.Issuer}},
	})
	a.Header = http.Header{"Content-Type": {"application/jrd+json"}}
	return a
}

// twice is a JSON object in which each member stands twice.
func twice(members map[string]any) string {
	text, _ := json.Marshal(members) // made of what can be encoded
	inner := string(text[1 : len(text)-1])
	return "{" + inner + "," + inner + "}"
}
