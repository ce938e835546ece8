package conformance

import (
	"crypto"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// Managed is the endpoint at which a client asks for its registration (RFC 7592).
const Managed Step = "managed registration"

// DemandStatements makes an OP register nobody but who shows a certificate and a software
// statement that the directory has signed with the key: for redirect URIs and keys that
// are in it (RFC 7591 §2.3, Open Finance Brasil Dynamic Client Registration 1.0).
// Each answer has another token for the next question.
func (op *OP) DemandStatements(directory crypto.PublicKey) {
	registered, token := map[string]any{}, ""
	answer := func(status int) *Answer {
		token = "registration-" + random()
		members := maps.Clone(registered)
		members["registration_access_token"] = token
		return &Answer{Status: status, Members: members}
	}
	op.Handle(Register, "/register", "registration_endpoint", func(op *OP, c *Call) *Answer {
		members := map[string]any{}
		if shown(c) == "" || json.Unmarshal(c.Body, &members) != nil {
			return refusal(http.StatusBadRequest, "invalid_client_metadata")
		}
		statement, _ := members["software_statement"].(string)
		header, said, ok := ReadJWT(statement, func(map[string]any) crypto.PublicKey { return directory })
		iat, _ := said["iat"].(float64)
		now := float64(op.Now.Unix())
		if !ok || header["alg"] != "PS256" || iat > now || iat < now-300 {
			return refusal(http.StatusBadRequest, "invalid_software_statement")
		}
		allowed, _ := said["software_redirect_uris"].([]any)
		wanted, _ := members["redirect_uris"].([]any)
		if len(wanted) == 0 || slices.ContainsFunc(wanted, func(uri any) bool { return !slices.Contains(allowed, uri) }) {
			return refusal(http.StatusBadRequest, "invalid_redirect_uri")
		}
		if members["jwks"] != nil || members["jwks_uri"] == nil || members["jwks_uri"] != said["software_jwks_uri"] {
			return refusal(http.StatusBadRequest, "invalid_client_metadata")
		}
		registered = members
		registered["client_id"], registered["registration_client_uri"] = op.Client.ID, op.Issuer+"/register/1"
		return answer(http.StatusCreated)
	})
	op.Handle(Managed, "/register/1", "", func(_ *OP, c *Call) *Answer {
		if shown(c) == "" || token == "" || c.Method != http.MethodGet || c.Header.Get("Authorization") != "Bearer "+token {
			return challenge("Bearer", refusal(http.StatusUnauthorized, "invalid_token"))
		}
		return answer(http.StatusOK)
	})
}
