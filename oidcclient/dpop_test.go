package oidcclient_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

func bound(c *oidcclient.Config) { c.DPoP, c.UserInfo = true, true }

// A login whose tokens are bound, at a provider that checks each proof by itself:
// with and without nonces of its own, pushed or not, with and without a secret.
func TestLoginWithDPoP(t *testing.T) {
	for _, nonces := range []bool{false, true} {
		for _, carriage := range []oidcclient.Carriage{oidcclient.CarryQuery, oidcclient.CarryPushed} {
			for _, method := range []string{"client_secret_basic", "private_key_jwt", "none"} {
				t.Run(fmt.Sprintf("nonces=%t carriage=%d %s", nonces, carriage, method), func(t *testing.T) {
					r := newRig(t, oidctest.Config{DPoPNonces: nonces, AuthMethod: method}, func(c *oidcclient.Config) {
						bound(c)
						c.Carriage = carriage
					})
					session, err := r.login(t.Context())
					require.NoError(t, err)
					assert.Equal(t, "DPoP", session.Token().TokenType)
					assert.True(t, session.HasUserInfo())
					key := session.AccessToken().ProofKey
					require.NotNil(t, key)
					assert.Equal(t, "ES256", key.Algorithm())
					if carriage == oidcclient.CarryQuery {
						assert.Equal(t, key.Thumbprint(), r.op.Sent(oidctest.StepAuthorize)[0].Query.Get("dpop_jkt"))
					} else {
						pushed := r.op.Sent(oidctest.StepPush)
						assert.Equal(t, key.Thumbprint(), pushed[len(pushed)-1].Form.Get("dpop_jkt"))
						assert.NotEmpty(t, pushed[len(pushed)-1].Header.Get("DPoP"))
					}

					sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
					require.NoError(t, err)
					sealed, err := sealer.SealSession(session)
					require.NoError(t, err)
					opened, err := sealer.OpenSession(sealed)
					require.NoError(t, err)
					assert.Equal(t, session.Token(), opened.Token())
					assert.Equal(t, key.Thumbprint(), opened.AccessToken().ProofKey.Thumbprint(), "the key is kept with the session")

					fresh, err := r.client.Refresh(t.Context(), opened)
					require.NoError(t, err)
					assert.Equal(t, key.Thumbprint(), fresh.AccessToken().ProofKey.Thumbprint())
					_, err = r.client.UserInfo(t.Context(), fresh)
					require.NoError(t, err)
				})
			}
		}
	}
}

func TestEachLoginHasAKeyOfItsOwn(t *testing.T) {
	r := newRig(t, oidctest.Config{}, bound)
	first, err := r.login(t.Context())
	require.NoError(t, err)
	second, err := r.login(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, first.AccessToken().ProofKey.Thumbprint(), second.AccessToken().ProofKey.Thumbprint())
}

// Where the provider asks for its nonce, nothing but the proof and the client's
// assertion is made anew, and the nonce is remembered.
func TestNonceAtTheTokenEndpoint(t *testing.T) {
	r := newRig(t, oidctest.Config{DPoPNonces: true, AuthMethod: "private_key_jwt"}, func(c *oidcclient.Config) { c.DPoP = true })
	_, err := r.login(t.Context())
	require.NoError(t, err)
	sent := r.op.Sent(oidctest.StepToken)
	require.Len(t, sent, 2)
	assert.Empty(t, proofClaims(t, sent[0].Header)["nonce"])
	assert.NotEmpty(t, proofClaims(t, sent[1].Header)["nonce"])
	assert.NotEqual(t, proofClaims(t, sent[0].Header)["jti"], proofClaims(t, sent[1].Header)["jti"])
	assert.Equal(t, sent[0].Form.Get("code"), sent[1].Form.Get("code"))
	assert.NotEqual(t, sent[0].Form.Get("client_assertion"), sent[1].Form.Get("client_assertion"), "it is good for one request")

	_, err = r.login(t.Context())
	require.NoError(t, err)
	assert.Len(t, r.op.Sent(oidctest.StepToken), 3, "the nonce of the last answer is used")
}

func proofClaims(t *testing.T, header http.Header) (claims map[string]any) {
	t.Helper()
	parts := strings.Split(header.Get("DPoP"), ".")
	require.Len(t, parts, 3)
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &claims))
	return claims
}

// A provider that asks for ever is asked twice.
func TestNonceLoop(t *testing.T) {
	refusal := `{"error":"use_dpop_nonce"}`
	for name, tt := range map[string]struct {
		header   http.Header
		status   int
		body     string
		requests int
	}{
		"another nonce": {http.Header{"Dpop-Nonce": {"n1"}}, 400, refusal, 2},
		"401":           {http.Header{"Dpop-Nonce": {"n1"}}, 401, refusal, 2},
		"no nonce":      {nil, 400, refusal, 1},
		"two nonces":    {http.Header{"Dpop-Nonce": {"n1", "n2"}}, 400, refusal, 1},
		"a quote":       {http.Header{"Dpop-Nonce": {`a"b`}}, 400, refusal, 1},
		"too long":      {http.Header{"Dpop-Nonce": {strings.Repeat("n", 513)}}, 400, refusal, 1},
		"other error":   {http.Header{"Dpop-Nonce": {"n1"}}, 400, `{"error":"invalid_dpop_proof"}`, 1},
		"other status":  {http.Header{"Dpop-Nonce": {"n1"}}, 500, refusal, 1},
		"no JSON":       {http.Header{"Dpop-Nonce": {"n1"}}, 400, "use_dpop_nonce", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, oidctest.Config{}, bound)
			r.op.Answer(oidctest.StepToken, oidctest.Reply{Times: -1, Status: tt.status, Header: tt.header, Body: tt.body})
			_, err := r.login(t.Context())
			var e *oidcclient.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, oidcclient.StepExchange, e.Step)
			assert.Len(t, r.op.Sent(oidctest.StepToken), tt.requests)
		})
	}
}

// The provider has to bind the token, in whatever case it says so, and must not
// where nobody asked for it.
func TestTokenTypeOfBoundTokens(t *testing.T) {
	for _, tt := range []struct {
		dpop    bool
		type_   string
		refused bool
	}{
		{true, "DPoP", false}, {true, "dPOP", false}, {true, "Bearer", true}, {true, "", true}, {true, "DPoPs", true},
		{false, "bEARER", false}, {false, "DPoP", true}, {false, "", true},
	} {
		t.Run(fmt.Sprintf("dpop=%t type=%s", tt.dpop, tt.type_), func(t *testing.T) {
			r := newRig(t, oidctest.Config{}, func(c *oidcclient.Config) { c.DPoP = tt.dpop })
			r.op.OnToken(func(i *oidctest.Issue) {
				if i.Step == oidctest.StepToken {
					i.Answer["token_type"] = tt.type_
				}
			})
			session, err := r.login(t.Context())
			if !tt.refused {
				require.NoError(t, err)
				assert.Equal(t, tt.dpop, session.Token().TokenType == "DPoP")
				return
			}
			var e *oidcclient.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, "token_type", e.Check)
		})
	}
}

func TestProofAlgorithms(t *testing.T) {
	for list, want := range map[string]string{"": "ES256", "RS256 EdDSA": "EdDSA", "PS256": "PS256", "ES256 PS256": "ES256", "RS256": "refused"} {
		t.Run(list, func(t *testing.T) {
			var made *oidcclient.ConfigError
			change := func(c *oidcclient.Config) {
				c.DPoP = true
				c.Provider = &oidcclient.ProviderMetadata{
					Issuer: c.Issuer, AuthorizationEndpoint: c.Issuer + "/authorize", TokenEndpoint: c.Issuer + "/token", JWKSURI: c.Issuer + "/jwks",
				}
				if list != "" {
					c.Provider.DPoPAlgorithms = strings.Fields(list)
				}
			}
			op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{redirectURI}})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, op.Close()) })
			config, err := relying.Config(op)
			require.NoError(t, err)
			change(&config)
			client, err := oidcclient.New(config)
			if want == "refused" {
				require.ErrorAs(t, err, &made)
				assert.Contains(t, made.Reason, "dpop_signing_alg_values_supported")
				return
			}
			require.NoError(t, err)
			session, err := (&rig{op, client}).login(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, session.AccessToken().ProofKey.Algorithm())
		})
	}
}

// A login that was begun before tokens were bound can't be completed with bound
// ones, and a session from then gets bound ones when it is refreshed.
func TestDPoPSwitchedOn(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	session, err := r.login(t.Context())
	require.NoError(t, err)
	auth, pending, err := r.client.Begin(t.Context(), oidcclient.BeginOptions{})
	require.NoError(t, err)
	config, err := relying.Config(r.op)
	require.NoError(t, err)
	config.DPoP = true
	later, err := oidcclient.New(config)
	require.NoError(t, err)
	values, err := relying.Browse(t.Context(), redirectURI, auth)
	require.NoError(t, err)
	_, err = later.Complete(t.Context(), pending, values)
	var e *oidcclient.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "dpop", e.Check)

	fresh, err := later.Refresh(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, "DPoP", fresh.Token().TokenType)
	_, err = later.UserInfo(t.Context(), fresh)
	assert.NoError(t, err)
}

// protected is an API that wants bound tokens: it counts what it saw.
type protected struct {
	challenge string // of a request whose nonce is not the one
	nonce     string
	seen      []map[string]any // proofs
	schemes   []string
}

func (p *protected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	p.schemes = append(p.schemes, scheme)
	parts := strings.Split(r.Header.Get("DPoP")+"..", ".")
	claims := map[string]any{}
	if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
		_ = json.Unmarshal(text, &claims) // empty claims otherwise
	}
	p.seen = append(p.seen, claims)
	if p.nonce != "" {
		w.Header().Set("DPoP-Nonce", p.nonce)
		if claims["nonce"] != p.nonce {
			w.Header().Set("WWW-Authenticate", p.challenge)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}

func TestTransportWithDPoP(t *testing.T) {
	key, err := assertion.NewProofKey("ES256")
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		challenge, nonce string
		status, requests int
	}{
		"without nonces":        {"", "", 200, 1},
		"nonce":                 {`DPoP error="use_dpop_nonce"`, "n1", 200, 2},
		"nonce in another case": {`Bearer, dPoP algs="ES256", Error="use_dpop_nonce"`, "n1", 200, 2},
		"token refused":         {`DPoP error="invalid_token"`, "n1", 200, 2}, // asks for another token, and knows the nonce by then
		"of another scheme":     {`Bearer error="use_dpop_nonce"`, "n1", 200, 2},
		"no nonce to use":       {`DPoP error="use_dpop_nonce"`, `"`, 401, 1},
	} {
		t.Run(name, func(t *testing.T) {
			api := &protected{challenge: tt.challenge, nonce: tt.nonce}
			server := httptest.NewServer(api)
			t.Cleanup(server.Close)
			tokens := &fixedTokens{first: "first", second: "second", key: key}
			transport := &oidcclient.Transport{Tokens: tokens, Origins: []string{server.URL}}
			call := func() int {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/orders?open=true", strings.NewReader("body"))
				require.NoError(t, err)
				resp, err := transport.RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				return resp.StatusCode
			}
			assert.Equal(t, tt.status, call())
			assert.Len(t, api.seen, tt.requests)
			for i, claims := range api.seen {
				assert.Equal(t, "DPoP", api.schemes[i])
				assert.Equal(t, "POST", claims["htm"])
				assert.Equal(t, server.URL+"/orders", claims["htu"])
				assert.NotEmpty(t, claims["ath"])
			}
			if tt.status == 200 {
				assert.Equal(t, 200, call())
				assert.Len(t, api.seen, tt.requests+1, "the nonce is kept")
			}
		})
	}
}

// An API that asks for nonces for ever costs neither a third request nor a refresh.
// A request without a method is a GET for net/http.
func TestTransportWithDPoPWithoutMethod(t *testing.T) {
	key, err := assertion.NewProofKey("ES256")
	require.NoError(t, err)
	api := &protected{}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	transport := &oidcclient.Transport{Tokens: &fixedTokens{first: "first", key: key}, Origins: []string{server.URL}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	require.NoError(t, err)
	req.Method = ""
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "GET", api.seen[0]["htm"])
}

func TestNonceLoopOfAnAPI(t *testing.T) {
	key, err := assertion.NewProofKey("ES256")
	require.NoError(t, err)
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.Header().Set("DPoP-Nonce", fmt.Sprint("n", requests))
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &oidcclient.Transport{
		Tokens: &fixedTokens{first: "a", second: "b", key: key}, Origins: []string{server.URL},
	}}
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Equal(t, 2, requests)
}

// Every body that was made for another request is closed, sent or not.
func TestBodiesOfRepeatedRequests(t *testing.T) {
	key, err := assertion.NewProofKey("ES256")
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		challenge string
		requests  int
	}{
		"a nonce each time":  {`DPoP error="use_dpop_nonce"`, 2},
		"the token":          {`DPoP error="invalid_token"`, 2},
		"nothing about DPoP": {"", 2},
	} {
		requests, bodies := 0, []*closing(nil)
		transport := &oidcclient.Transport{
			Tokens: &fixedTokens{first: "first", second: "second", key: key}, Origins: []string{"https://api.example"},
			Base: roundTripper(func(r *http.Request) (*http.Response, error) {
				requests++
				require.NoError(t, r.Body.Close())
				header := http.Header{"Www-Authenticate": {tt.challenge}, "Dpop-Nonce": {fmt.Sprint("n", requests)}}
				return &http.Response{StatusCode: http.StatusUnauthorized, Header: header, Body: http.NoBody, Request: r}, nil
			}),
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example/", nil)
		require.NoError(t, err)
		r.GetBody = func() (io.ReadCloser, error) {
			bodies = append(bodies, &closing{Reader: strings.NewReader("body")})
			return bodies[len(bodies)-1], nil
		}
		r.Body, err = r.GetBody()
		require.NoError(t, err)
		resp, err := transport.RoundTrip(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, tt.requests, requests, name)
		for i, body := range bodies {
			assert.True(t, body.closed, "%s: body %d", name, i)
		}
	}
}

// A nonce of one server says nothing to another.
func TestNoncesStayAtTheirOrigin(t *testing.T) {
	key, err := assertion.NewProofKey("ES256")
	require.NoError(t, err)
	one := &protected{challenge: `DPoP error="use_dpop_nonce"`, nonce: "n1"}
	other := &protected{}
	first, second := httptest.NewServer(one), httptest.NewServer(other)
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	client := &http.Client{Transport: &oidcclient.Transport{
		Tokens: &fixedTokens{first: "a", key: key}, Origins: []string{first.URL, second.URL},
	}}
	for _, u := range []string{first.URL, second.URL} {
		resp, err := client.Get(u)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	assert.NotContains(t, other.seen[0], "nonce")
}

// The application's own tokens are bound to the client's key.
func TestMachineTokenWithDPoP(t *testing.T) {
	r := newRig(t, oidctest.Config{DPoPNonces: true}, func(c *oidcclient.Config) { c.DPoP = true })
	token, err := grants.ClientCredentials(t.Context(), r.client, grants.Request{})
	require.NoError(t, err)
	assert.Equal(t, "DPoP", token.TokenType)
	access := r.client.AccessToken(token)
	assert.Equal(t, token.AccessToken, access.Value)
	require.NotNil(t, access.ProofKey)

	plain := newRig(t, oidctest.Config{}, nil)
	token, err = grants.ClientCredentials(t.Context(), plain.client, grants.Request{})
	require.NoError(t, err)
	assert.Nil(t, plain.client.AccessToken(token).ProofKey)
}

// What can't be read of a key is an error, and not a token that is sent as if it
// were not bound.
func TestBoundTokenWithoutItsKey(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was sent") }))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &oidcclient.Transport{
		Tokens: &fixedTokens{first: "a", key: &assertion.ProofKey{}}, Origins: []string{server.URL},
	}}
	_, err := client.PostForm(server.URL, url.Values{"a": {"b"}})
	assert.ErrorContains(t, err, "can't be authorized")
}

func TestNothingPrintsAccessTokens(t *testing.T) {
	token := oidcclient.AccessToken{Value: "secret-token"}
	text, err := json.Marshal(token)
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s %s", token, token, &token, token.LogValue(), text), "secret-token")
}
