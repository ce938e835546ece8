package conformance

import (
	"crypto"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
		op.reads(func(c *Call) (url.Values, bool) { return read(c.Query) })
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

// reads makes an OP find the parameters of authorization requests otherwise than in a
// query.
func (op *OP) reads(read func(*Call) (url.Values, bool)) {
	op.Handle(Authorize, "/authorize", "authorization_endpoint", func(op *OP, c *Call) *Answer {
		params, ok := read(c)
		if !ok {
			return refusal(http.StatusBadRequest, "invalid_request_object")
		}
		return op.Respond(params)
	})
}

// DemandObjects makes an OP take authorization requests as objects in the query only,
// signed with the key or, without one, not signed (OpenID Connect Core §6.1).
func (op *OP) DemandObjects(key crypto.PublicKey) {
	op.reads(func(c *Call) (url.Values, bool) { return op.readObject(c.Query, key, besideByValue) })
}

// FetchRequests makes an OP take authorization requests by reference only: as objects that
// it gets with the client, from where they are registered to be (OpenID Connect Core §6.2),
// signed with the key or, without one, not signed.
func (op *OP) FetchRequests(by *http.Client, key crypto.PublicKey) {
	op.reads(func(c *Call) (url.Values, bool) {
		uri := c.Query.Get("request_uri")
		known := func(registered string) bool {
			return uri == registered || strings.HasSuffix(registered, "/") && strings.HasPrefix(uri, registered)
		}
		if len(uri) > 512 || !slices.ContainsFunc(op.Client.RequestURIs, known) {
			return nil, false
		}
		got, err := by.Get(uri)
		if err != nil {
			return nil, false
		}
		defer got.Body.Close()
		object, err := io.ReadAll(io.LimitReader(got.Body, 1<<20))
		if err != nil || got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "application/oauth-authz-req+jwt" {
			return nil, false
		}
		beside := maps.Clone(c.Query)
		beside.Del("request_uri")
		beside.Set("request", string(object))
		return op.readObject(beside, key, besideByValue)
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
	ok = ok && (op.Client.RequestAlg == "" || header["alg"] == op.Client.RequestAlg)
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
