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
// §7), which takes requests that the client signed with the key (§7.1.1). The person
// agrees once polls many token requests were answered that they had not yet.
func (op *OP) AskPeople(key crypto.PublicKey, polls int) {
	op.Handle(Backchannel, "/bc-authorize", "backchannel_authentication_endpoint", func(op *OP, c *Call) *Answer {
		_, claims, ok := ReadJWT(c.Form.Get("request"), func(map[string]any) crypto.PublicKey { return key })
		now := float64(op.Now.Unix())
		exp, _ := claims["exp"].(float64)
		nbf, hasNbf := claims["nbf"].(float64)
		scope, _ := claims["scope"].(string)
		switch {
		case !op.Authenticate(op, c):
			return refusal(http.StatusUnauthorized, "invalid_client")
		case !ok || c.Form.Has("scope") || c.Form.Has("login_hint") || claims["iss"] != op.Client.ID || claims["aud"] != op.Issuer ||
			claims["jti"] == nil || claims["iat"] == nil || !hasNbf || nbf > now || exp <= now || exp-nbf > 3600 ||
			!slices.Contains(strings.Fields(scope), "openid"):
			return refusal(http.StatusBadRequest, "invalid_request")
		case claims["login_hint"] == nil:
			return refusal(http.StatusBadRequest, "unknown_user_id")
		}
		id := "auth_req_id-" + random()
		op.grants[id] = &Grant{Params: url.Values{"scope": {scope}, "claims": {parameter(claims["claims"])}}, Subject: "user-subject-1234531", SessionID: random(), AuthTime: op.Now, Polls: polls}
		return object(map[string]any{"auth_req_id": id, "expires_in": 120, "interval": 5})
	})
}

// agreed is the grant of a backchannel request, or what a poll is answered before (§11).
func (op *OP) agreed(id string) (*Grant, *Answer) {
	g := op.grants[id]
	switch {
	case g == nil:
		return nil, refusal(http.StatusBadRequest, "invalid_grant")
	case g.Polls > 0:
		g.Polls--
		return nil, refusal(http.StatusBadRequest, "authorization_pending")
	}
	delete(op.grants, id)
	return g, nil
}
