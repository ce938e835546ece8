package conformance

import (
	"crypto"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
)

// requestModules are about request objects that the provider fetches (OpenID Connect
// Core §6.2), from a client that registers itself.
func requestModules() []module {
	return []module{
		{"oidcc-client-test-request-uri-signed-rs256", all(), func(r *rp) {
			r.signsRequests("RS256", theRSAKey())
			r.config.Carriage = oidcclient.CarryReference
			outside := r.asksByReference("RS256", &theRSAKey().PublicKey)
			for _, name := range []string{"state", "nonce", "redirect_uri", "code_challenge"} {
				assert.False(r, outside.Has(name), "%s is in the object", name)
			}
		}},
		// An unsigned request says no more than its parameters would: it is made where that
		// is configured, and listed.
		{"oidcc-client-test-request-uri-signed-none", all(), func(r *rp) {
			r.config.Carriage, r.config.RequestAlgorithm = oidcclient.CarryReference, "none"
			r.asksByReference("none", nil)
			assert.True(r, slices.ContainsFunc(r.client().Deviations(), func(d oidcclient.Deviation) bool { return d.Rule == oidcclient.RuleRequestSignature }))
			r.config.RequestAlgorithm = ""
			r.notConfigurable("Key", func() {}) // never because there is no key
		}},
	}
}

// signsRequests gives the relying party a key for request objects.
func (r *rp) signsRequests(alg string, key crypto.Signer) {
	r.config.Key = &assertion.Key{Signer: key, ID: "request-key", Algorithm: alg}
}

// asksByReference registers an application that serves its request objects, of this
// algorithm, and logs in there. It returns what stood beside the reference.
func (r *rp) asksByReference(alg string, key crypto.PublicKey) url.Values {
	r.Helper()
	r.registersItself()
	r.fetchesRequests(key)
	s := r.site(nil)
	s.login()
	sent := r.registration()
	assert.Equal(r, []any{s.url + "/request/op/"}, sent["request_uris"])
	assert.Equal(r, alg, sent["request_object_signing_alg"])
	outside := r.asked()
	assert.True(r, strings.HasPrefix(outside.Get("request_uri"), s.url+"/request/op/"))

	r.op.Client.RequestURIs = []string{s.url + "/request/another/"}
	p := s.get("/login/op")
	assert.Equal(r, http.StatusBadRequest, p.StatusCode)
	assert.Contains(r, p.Request.URL.Path, "/authorize", "the provider refuses what is not registered")
	return outside
}

// registersItself makes the relying party one that registers at its first use.
func (r *rp) registersItself() {
	r.config.ClientID, r.config.ClientSecret = "", ""
	r.config.Register = &oidcclient.RegistrationRequest{Metadata: map[string]any{"client_name": "conformance"}}
}

// registration is what the provider was sent to register.
func (r *rp) registration() (sent map[string]any) {
	r.Helper()
	calls := r.op.Calls(Register)
	require.NotEmpty(r, calls)
	require.NoError(r, json.Unmarshal(calls[len(calls)-1].Body, &sent))
	return sent
}

// fetchesRequests makes the provider take requests by reference only.
func (r *rp) fetchesRequests(key crypto.PublicKey) {
	another := New(true) // its client believes every server here
	r.Cleanup(another.Close)
	r.op.FetchRequests(another.HTTPClient(), key)
}

// dynamicToo also plays a module as the suite's plan for dynamic clients does: with one
// that registers itself and has its requests fetched.
func (m module) dynamicToo() module {
	run := m.run
	m.run = func(r *rp) {
		run(r)
		if !slices.Contains(oneOfEach(), r.variant) {
			return
		}
		r.Run("dynamic_client, request_uri", func(t *testing.T) {
			r := meeting(t, r.variant, New(true))
			r.prepare((*rp).dynamic)
			run(r)
		})
	}
	return m
}

// dynamic makes the relying party a client of that plan.
func (r *rp) dynamic() {
	r.Helper()
	var objects sync.Map
	host := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		object, _ := objects.Load(req.URL.Path)
		text, _ := object.(string)
		w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
		_, _ = io.WriteString(w, text)
	}))
	secured(host)
	r.Cleanup(host.Close)
	r.registersItself()
	r.config.Register.Metadata["request_uris"] = []string{host.URL + "/request/"}
	r.signsRequests("ES256", clientKey())
	r.config.Carriage = oidcclient.CarryReference
	r.fetchesRequests(clientKey().Public())
	r.begin.Reference = func(params url.Values) (string, error) {
		path := "/request/" + random()
		object, err := r.client().RequestObject(r.Context(), params)
		objects.Store(path, object)
		return host.URL + path, err
	}
}
