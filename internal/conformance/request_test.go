package conformance

import (
	"crypto"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
)

// requestModules are about request objects that the provider fetches (OpenID Connect
// Core §6.2).
func requestModules() []module {
	return []module{
		{"oidcc-client-test-request-uri-signed-rs256", all(), func(r *rp) {
			key := theRSAKey()
			r.config.Key = &assertion.Key{Signer: key, ID: "request-key", Algorithm: "RS256"}
			r.config.Carriage = oidcclient.CarryReference
			r.fetchesRequests(&key.PublicKey)
			s := r.site(nil)
			s.login()
			outside := r.asked()
			assert.True(r, strings.HasPrefix(outside.Get("request_uri"), s.url+"/request/op/"))
			for _, name := range []string{"state", "nonce", "redirect_uri", "code_challenge"} {
				assert.False(r, outside.Has(name), "%s is in the object", name)
			}
		}},
		// An unsigned request says no more than its parameters would: it is made where that
		// is configured, and listed.
		{"oidcc-client-test-request-uri-signed-none", all(), func(r *rp) {
			r.config.Carriage, r.config.RequestAlgorithm = oidcclient.CarryReference, "none"
			r.fetchesRequests(nil)
			s := r.site(nil)
			s.login()
			assert.True(r, strings.HasPrefix(r.asked().Get("request_uri"), s.url+"/request/op/"))
			assert.True(r, slices.ContainsFunc(r.client().Deviations(), func(d oidcclient.Deviation) bool { return d.Rule == oidcclient.RuleRequestSignature }))
			r.config.RequestAlgorithm = ""
			r.notConfigurable("Key", func() {}) // never because there is no key
		}},
	}
}

// fetchesRequests makes the provider take requests by reference only.
func (r *rp) fetchesRequests(key crypto.PublicKey) {
	another := New(true) // its client believes every server here
	r.Cleanup(another.Close)
	fetcher := another.HTTPClient()
	r.op.Handle(Authorize, "/authorize", "authorization_endpoint", func(op *OP, call *Call) *Answer {
		got, err := fetcher.Get(call.Query.Get("request_uri"))
		if err != nil {
			return refusal(http.StatusBadRequest, "invalid_request_uri")
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		header, claims, ok := ReadJWT(string(body), func(map[string]any) crypto.PublicKey { return key })
		if err != nil || !ok || header["typ"] != "oauth-authz-req+jwt" || claims["aud"] != op.Issuer || claims["iss"] != op.Client.ID {
			return refusal(http.StatusBadRequest, "invalid_request_object")
		}
		params := url.Values{}
		for name, value := range claims {
			if text, ok := value.(string); ok {
				params.Set(name, text)
			}
		}
		return op.Respond(params)
	})
}
