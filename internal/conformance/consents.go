package conformance

import (
	"crypto"
	"net/http"
	"strings"
)

// Consents is an API to which a client says in advance what a person will be asked to
// agree to.
const Consents Step = "consents"

// ConsentToken is the Kind of what it answers.
const ConsentToken Kind = "consent"

const (
	// OPOrganisation is the name under which the API signs its answers.
	OPOrganisation = "74e929d9-33b6-4d85-8ba7-c146c867a817"
	// ClientOrganisation is the one under which the client signs what it says.
	ClientOrganisation = "5f69111d-5cc3-43ea-ba97-30392654f505"
)

// TakeConsents gives an OP an API for the consents to payments: what it is told is signed
// by the client, with the key, and what it answers is signed too, for aud alone or for an
// array of it as a change says (Open Finance Brasil Financial-grade API Security Profile
// 1.0, message signing). It takes the application's own access tokens.
func (op *OP) TakeConsents(key crypto.PublicKey) {
	op.Handle(Consents, "/payments/consents", "", func(op *OP, c *Call) *Answer {
		access, _ := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
		_, claims, ok := ReadJWT(string(c.Body), func(map[string]any) crypto.PublicKey { return key })
		switch {
		case op.grants[access] == nil || op.grants[access].Subject != "" || shown(c) == "":
			return challenge("Bearer", refusal(http.StatusUnauthorized, "invalid_token"))
		case !ok || c.Header.Get("Content-Type") != "application/jwt" || claims["iss"] != ClientOrganisation || claims["aud"] != op.Issuer+"/payments/consents" || claims["data"] == nil:
			return refusal(http.StatusBadRequest, "invalid_request")
		}
		return &Answer{Status: http.StatusCreated, Type: "application/jwt", Text: op.Sign(ConsentToken, map[string]any{
			"iss": OPOrganisation, "aud": ClientOrganisation, "iat": op.Now.Unix(), "jti": random(),
			"data": map[string]any{"consentId": "urn:op:" + random(), "status": "AWAITING_AUTHORISATION"},
		})}
	})
}
