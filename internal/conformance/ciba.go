package conformance

import (
	"crypto"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Backchannel is the backchannel authentication endpoint of an OP that asks people at
// their own device.
const Backchannel Step = "backchannel"

// AskPeople gives an OP a backchannel authentication endpoint (OpenID Connect CIBA Core
// §7), which takes requests that the client signed with the key (§7.1.1), about the one
// person that it knows. The person agrees once polls many token requests were answered
// that they had not yet. ping is the mode that the client has registered.
func (op *OP) AskPeople(key crypto.PublicKey, polls int, ping bool) {
	op.Change(Discovery, func(_ *Call, a *Answer) {
		a.Members["backchannel_token_delivery_modes_supported"] = []string{"poll", "ping"}
		a.Members["backchannel_authentication_request_signing_alg_values_supported"] = []string{"ES256"}
	})
	op.Handle(Backchannel, "/bc-authorize", "backchannel_authentication_endpoint", func(op *OP, c *Call) *Answer {
		if !op.Authenticate(op, c) {
			return refusal(http.StatusUnauthorized, "invalid_client")
		}
		claims, ok := op.readAsked(c.Form, key)
		token, _ := claims["client_notification_token"].(string)
		if !ok || ping != (len(token) >= 22) { // 128 bits (§7.1)
			return refusal(http.StatusBadRequest, "invalid_request")
		}
		if code := op.whom(claims); code != "" {
			return refusal(http.StatusBadRequest, code)
		}
		id := "auth_req_id-" + random()
		op.grants[id] = &Grant{
			Params:  url.Values{"scope": {parameter(claims["scope"])}, "claims": {parameter(claims["claims"])}},
			Subject: "user-subject-1234531", SessionID: random(), AuthTime: op.Now, Polls: polls,
		}
		return object(map[string]any{"auth_req_id": id, "expires_in": 120, "interval": 5})
	})
}

// readAsked returns what a signed request asks, beside which there is only what
// authenticates the client (§7.1.1, FAPI-CIBA §5.2.2).
func (op *OP) readAsked(form url.Values, key crypto.PublicKey) (map[string]any, bool) {
	for name := range form {
		if !slices.Contains(besidePushed, name) {
			return nil, false
		}
	}
	_, claims, ok := ReadJWT(form.Get("request"), func(map[string]any) crypto.PublicKey { return key })
	now := float64(op.Now.Unix())
	exp, _ := claims["exp"].(float64)
	nbf, hasNbf := claims["nbf"].(float64)
	scope, _ := claims["scope"].(string)
	return claims, ok && claims["iss"] == op.Client.ID && claims["aud"] == op.Issuer && claims["jti"] != nil && claims["iat"] != nil &&
		hasNbf && nbf <= now && exp > now && exp-nbf <= 3600 && slices.Contains(strings.Fields(scope), "openid")
}

// whom judges the hint, and returns what is wrong with it (§13).
func (op *OP) whom(claims map[string]any) string {
	hint, byToken := claims["id_token_hint"].(string)
	exp, _ := payload(hint)["exp"].(float64)
	switch {
	case byToken == (claims["login_hint"] != nil):
		return "invalid_request" // §7.1: one of them
	case byToken && !op.issued[hint]:
		return "invalid_id_token_hint"
	case byToken && exp <= float64(op.Now.Unix()):
		return "expired_id_token_hint"
	case !byToken && claims["login_hint"] != "user@example.com":
		return "unknown_user_id"
	}
	return ""
}

// agreed is the grant of a backchannel request, or what a poll is answered before (§11).
func (op *OP) agreed(id string) (*Grant, *Answer) {
	g := op.grants[id]
	switch {
	case g == nil || !strings.HasPrefix(id, "auth_req_id-"):
		return nil, refusal(http.StatusBadRequest, "invalid_grant")
	case g.Polls > 0:
		g.Polls--
		return nil, refusal(http.StatusBadRequest, "authorization_pending")
	}
	delete(op.grants, id)
	return g, nil
}
