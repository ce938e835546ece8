package oidctest

import (
	"encoding/json"
	"maps"
	"strings"
)

// requestObject opens a request object that the client signed with its
// registered key or secret, and may have encrypted to the provider (OpenID
// Connect Core §6.1, RFC 9101). Its parameters overrule those beside it.
func requestObject(p *Provider, outer map[string]string) (map[string]string, *refusal) {
	compact := outer["request"]
	if strings.Count(compact, ".") == 4 {
		var bad *refusal
		if compact, bad = p.openRequest(compact); bad != nil {
			return nil, bad
		}
	}
	t, err := parseJWT(compact)
	if err != nil {
		return nil, refuse("invalid_request_object", err.Error())
	}
	signed := p.clientSigned(t) || p.client.secret != "" && t.verify([]byte(p.client.secret))
	if !signed || t.header["crit"] != nil {
		return nil, refuse("invalid_request_object", "request object is not signed by the client")
	}
	if text(t.claims, "iss") != p.client.id || audience(t.claims) != p.Issuer() {
		return nil, refuse("invalid_request_object", "request object has another iss or aud")
	}
	if exp, ok := seconds(t.claims, "exp"); t.claims["exp"] != nil && (!ok || exp <= p.now().Unix()) {
		return nil, refuse("invalid_request_object", "request object has expired")
	}
	inner, bad := innerParams(t.claims)
	if bad != nil {
		return nil, bad
	}
	for _, name := range []string{"client_id", "response_type"} {
		if inner[name] != "" && outer[name] != "" && inner[name] != outer[name] {
			return nil, refuse("invalid_request_object", name+" differs from the request object")
		}
	}
	merged := maps.Clone(outer)
	delete(merged, "request")
	maps.Copy(merged, inner)
	return merged, nil
}

// openRequest decrypts a request object with the provider's encryption key.
func (p *Provider) openRequest(compact string) (string, *refusal) {
	e, err := parseJWE(compact)
	if err != nil {
		return "", refuse("invalid_request_object", err.Error())
	}
	keys := p.decrypters(text(e.header, "kid"))
	if len(keys) == 0 {
		return "", refuse("invalid_request_object", "request object is encrypted to another key")
	}
	for _, key := range keys {
		var plain []byte
		if plain, err = e.decrypt(key); err == nil {
			return string(plain), nil
		}
	}
	return "", refuse("invalid_request_object", err.Error())
}

// innerParams reads the parameters out of a request object's claims.
func innerParams(claims map[string]any) (map[string]string, *refusal) {
	inner := map[string]string{}
	for name, value := range claims {
		switch name {
		case "iss", "aud", "exp", "iat", "nbf", "jti", "sub":
			continue
		case "request", "request_uri":
			return nil, refuse("invalid_request_object", name+" is not allowed in a request object")
		}
		switch value := value.(type) {
		case string:
			inner[name] = value
		case json.Number:
			inner[name] = value.String()
		default:
			raw, err := json.Marshal(value)
			if err != nil {
				return nil, refuse("invalid_request_object", "request object can't be read")
			}
			inner[name] = string(raw)
		}
	}
	return inner, nil
}
