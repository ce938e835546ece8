package conformance

import (
	"crypto"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// registered reads what a client wants to be registered (RFC 7591 §3.1).
func registered(c *Call) (map[string]any, bool) {
	members := map[string]any{}
	err := json.Unmarshal(c.Body, &members)
	return members, err == nil && c.Method == http.MethodPost && c.Header.Get("Content-Type") == "application/json"
}

// register registers the one client (RFC 7591 §3.2.1): for its one redirect URI, for what
// the OP does, and for the grants that its response types need.
func (op *OP) register(call *Call) *Answer {
	members, ok := registered(call)
	uris, types := texts(members["redirect_uris"]), texts(members["response_types"])
	switch {
	case !ok || len(types) == 0 || !grantsFit(types, texts(members["grant_types"])) || members["id_token_signed_response_alg"] != op.Alg ||
		!slices.Contains(authMethods, parameter(members["token_endpoint_auth_method"])):
		return refusal(http.StatusBadRequest, "invalid_client_metadata")
	case !slices.Equal(uris, []string{op.Client.RedirectURI}):
		return refusal(http.StatusBadRequest, "invalid_redirect_uri")
	}
	op.Client.RequestURIs = texts(members["request_uris"])
	op.Client.RequestAlg, _ = members["request_object_signing_alg"].(string)
	members["client_id"], members["client_secret"] = op.Client.ID, op.Client.Secret
	members["registration_access_token"], members["registration_client_uri"] = random(), op.Issuer+"/register/1"
	a := object(members)
	a.Status = http.StatusCreated
	return a
}

// texts are the strings of a list.
func texts(list any) (out []string) {
	values, _ := list.([]any)
	for _, value := range values {
		text, _ := value.(string)
		out = append(out, text)
	}
	return out
}

// grantsFit reports whether grants are what the response types need, and refresh_token
// at most beside them (RFC 7591 §2.1).
func grantsFit(types, grants []string) bool {
	parts := strings.Fields(strings.Join(types, " "))
	code := slices.Contains(parts, "code")
	front := slices.ContainsFunc(parts, func(part string) bool { return part != "code" })
	uses := map[string]bool{"authorization_code": code, "implicit": front, "refresh_token": code}
	return slices.Contains(grants, "authorization_code") == code && slices.Contains(grants, "implicit") == front &&
		!slices.ContainsFunc(grants, func(grant string) bool { return !uses[grant] })
}

// Managed is the endpoint at which a client asks for its registration (RFC 7592).
const Managed Step = "managed registration"

// DemandStatements makes an OP register nobody but who shows a certificate and a software
// statement that the directory has signed with the key: for redirect URIs and keys that
// are in it (RFC 7591 §2.3, Open Finance Brasil Dynamic Client Registration 1.0).
// Each answer has another token for the next question.
func (op *OP) DemandStatements(directory crypto.PublicKey) {
	known, token := map[string]any{}, ""
	answer := func(status int) *Answer {
		token = "registration-" + random()
		members := maps.Clone(known)
		members["registration_access_token"] = token
		return &Answer{Status: status, Members: members}
	}
	op.Handle(Register, "/register", "registration_endpoint", func(op *OP, c *Call) *Answer {
		members, ok := registered(c)
		if shown(c) == "" || !ok {
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
		known = members
		known["client_id"], known["registration_client_uri"] = op.Client.ID, op.Issuer+"/register/1"
		return answer(http.StatusCreated)
	})
	op.Handle(Managed, "/register/1", "", func(_ *OP, c *Call) *Answer {
		if shown(c) == "" || token == "" || c.Method != http.MethodGet || c.Header.Get("Authorization") != "Bearer "+token {
			return challenge("Bearer", refusal(http.StatusUnauthorized, "invalid_token"))
		}
		return answer(http.StatusOK)
	})
}
