package conformance

import (
	"crypto"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
)

// Push is the pushed authorization request endpoint of an OP that demands those.
const Push Step = "push"

// DemandRequests makes an OP take nothing but authorization requests that are pushed
// (RFC 9126), that are objects signed with the key (RFC 9101), or both. Without a key
// they are not signed.
func (op *OP) DemandRequests(pushed bool, key crypto.PublicKey) {
	read := func(params url.Values) (url.Values, bool) {
		if key == nil {
			return params, !params.Has("request")
		}
		beside := besideByValue
		if pushed {
			beside = besidePushed
		}
		params, ok := op.readObject(params, key, beside)
		return params, ok && params.Has("nbf")
	}
	if !pushed {
		op.Handle(Authorize, "/authorize", "authorization_endpoint", func(op *OP, c *Call) *Answer {
			params, ok := read(c.Query)
			if !ok {
				return refusal(http.StatusBadRequest, "invalid_request_object")
			}
			return op.Respond(params)
		})
		return
	}
	requests := map[string]url.Values{}
	op.Handle(Push, "/par", "pushed_authorization_request_endpoint", func(op *OP, c *Call) *Answer {
		params, ok := read(c.Form)
		switch {
		case !op.Authenticate(op, c):
			return refusal(http.StatusUnauthorized, "invalid_client")
		case !ok || params.Get("code_challenge_method") != "S256" || len(params.Get("code_challenge")) != 43:
			return refusal(http.StatusBadRequest, "invalid_request")
		}
		name := "urn:ietf:params:oauth:request_uri:" + random()
		requests[name] = params
		a := object(map[string]any{"request_uri": name, "expires_in": 60})
		a.Status = http.StatusCreated
		return a
	})
	op.Handle(Authorize, "/authorize", "authorization_endpoint", func(op *OP, c *Call) *Answer {
		name := c.Query.Get("request_uri")
		params, ok := requests[name]
		delete(requests, name) // each is good once
		if !ok || len(c.Query) != 2 || c.Query.Get("client_id") != op.Client.ID {
			return refusal(http.StatusBadRequest, "invalid_request_uri")
		}
		return op.Respond(params)
	})
}

// The parameters that may stand beside a request object: what OAuth demands in a query
// (RFC 9101 §5), or what authenticates the client where it is pushed (RFC 9126 §3).
var (
	besideByValue = []string{"client_id", "response_type", "scope", "request"}
	besidePushed  = []string{"client_id", "request", "client_assertion", "client_assertion_type"}
)

// parameter is a member of a request object as a parameter (OpenID Connect Core §6.1).
func parameter(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value) // it was JSON before
	return string(text)
}

// readObject returns the parameters in a request object, which are all there are (FAPI
// 1.0 Advanced §5.2.3; FAPI 2.0 Message Signing §5.3): nothing but those named stands
// beside it.
func (op *OP) readObject(params url.Values, key crypto.PublicKey, beside []string) (url.Values, bool) {
	header, claims, ok := ReadJWT(params.Get("request"), func(map[string]any) crypto.PublicKey { return key })
	for name := range params {
		ok = ok && slices.Contains(beside, name)
	}
	now := float64(op.Now.Unix())
	exp, hasExp := claims["exp"].(float64)
	nbf, hasNbf := claims["nbf"].(float64)
	if !hasNbf {
		nbf = now
	}
	if !ok || header["typ"] != "oauth-authz-req+jwt" || claims["iss"] != op.Client.ID || claims["aud"] != op.Issuer ||
		!hasExp || nbf > now || exp <= now || exp-nbf > 3600 || claims["sub"] != nil {
		return nil, false
	}
	out := url.Values{}
	for name, value := range claims {
		out.Set(name, parameter(value))
	}
	return out, true
}
