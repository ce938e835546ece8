package conformance

import (
	"crypto/ecdsa"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
)

// requestModules are about request objects that the provider fetches (OpenID Connect
// Core §6.2).
func requestModules() []module {
	return []module{
		// The suite wants RS256; what is asked for is the same with ES256.
		{"oidcc-client-test-request-uri-signed-rs256", all(), func(r *rp) {
			key := ECKey("ES256", "sig").Private.(*ecdsa.PrivateKey)
			r.config.Key = &assertion.Key{Signer: key, ID: "request-key"}
			r.config.Carriage = oidcclient.CarryReference
			r.fetchesRequests(&key.PublicKey)
			object := r.hosts()
			auth, pending, err := r.client().Begin(r.Context(), r.begin)
			require.NoError(r, err)
			object.Store(&auth.Object)
			r.accepted(r.client().Complete(r.Context(), pending, r.browse(auth)))
			outside := r.asked()
			assert.Equal(r, r.begin.RequestURI, outside.Get("request_uri"))
			for _, name := range []string{"state", "nonce", "redirect_uri", "code_challenge"} {
				assert.False(r, outside.Has(name), "%s is in the object", name)
			}
		}},
		// Not played as the suite has it: this library makes no unsigned request object,
		// which any other place could have made as well.
		{"oidcc-client-test-request-uri-signed-none", nil, func(r *rp) {
			r.config.Carriage = oidcclient.CarryReference
			r.notConfigurable("Key", func() {})
			r.notConfigurable("Key", func() { r.config.Key = &assertion.Key{Algorithm: "none"} })
			r.notConfigurable("Key", func() {
				r.config.Key = &assertion.Key{Algorithm: "none", Signer: ECKey("ES256", "sig").Private}
			})
		}},
	}
}

// hosts serves a request object at an address that nobody can guess.
func (r *rp) hosts() *atomic.Pointer[string] {
	r.Helper()
	object, path := &atomic.Pointer[string]{}, "/request/"+random()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		text := object.Load()
		if req.URL.Path != path || text == nil {
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
		_, _ = io.WriteString(w, *text)
	}))
	r.Cleanup(server.Close)
	r.begin.RequestURI = server.URL + path
	return object
}

// fetchesRequests makes the provider take requests by reference only.
func (r *rp) fetchesRequests(key *ecdsa.PublicKey) {
	fetcher := httptest.NewTLSServer(http.NotFoundHandler()) // its client believes every test server
	r.Cleanup(fetcher.Close)
	r.op.Handle(Authorize, "/authorize", "authorization_endpoint", func(op *OP, call *Call) *Answer {
		got, err := fetcher.Client().Get(call.Query.Get("request_uri"))
		if err != nil {
			return refusal(http.StatusBadRequest, "invalid_request_uri")
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		header, claims, ok := ReadJWT(string(body), func(map[string]any) *ecdsa.PublicKey { return key })
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
