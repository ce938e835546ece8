package oidctest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnToken(t *testing.T) {
	r := start(t, oidctest.Config{SigningAlg: "ES256"})
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tokens := func(hook func(*oidctest.Issue)) map[string]any {
		r.op.OnToken(hook)
		defer r.op.OnToken(nil)
		return r.tokens()
	}
	_, payload := open(t, tokens(func(i *oidctest.Issue) {
		assert.Equal(t, oidctest.StepToken, i.Step)
		assert.Equal(t, "authorization_code", i.Grant)
		i.Claims["aud"] = []string{"a", "b"}
		i.Answer["expires_in"] = "300"
	})["id_token"])
	assert.Contains(t, string(payload), `"aud":["a","b"]`)
	assert.True(t, strings.HasSuffix(tokens(func(i *oidctest.Issue) { i.Header["alg"] = "none" })["id_token"].(string), "."))
	assert.NotContains(t, tokens(func(i *oidctest.Issue) { i.Claims = nil }), "id_token")
	assert.Equal(t, "x", tokens(func(i *oidctest.Issue) { i.Answer["id_token"] = "x" })["id_token"])
	assert.Equal(t, "y", tokens(func(i *oidctest.Issue) { i.Rewrite = func(string) string { return "y" } })["id_token"])
	r.check(tokens(func(i *oidctest.Issue) { i.Key = foreign })["id_token"], "ES256", &foreign.PublicKey)
	r.verified(tokens(func(i *oidctest.Issue) {
		i.Header["alg"] = "PS256"
		delete(i.Header, "kid")
	})["id_token"], r.op.JWKS())
	hs := tokens(func(i *oidctest.Issue) { i.Header["alg"], i.Secret = "HS256", []byte("public") })
	header, _ := open(t, hs["id_token"])
	assert.Contains(t, string(header), `"alg":"HS256"`)
}

func TestOnCallbackAndLoginAs(t *testing.T) {
	r := start(t, oidctest.Config{})
	r.op.LoginAs("chidi")
	assert.Equal(t, "248289761003", r.verified(r.tokens()["id_token"], r.op.JWKS())["sub"])
	r.op.OnCallback(func(v url.Values) { v.Set("iss", "https://other.example"); v.Del("state") })
	back := r.authorize().location(t)
	assert.Equal(t, "https://other.example", back.Get("iss"))
	assert.Empty(t, back.Get("state"))
}

func TestAnswerAndDown(t *testing.T) {
	r := start(t, oidctest.Config{})
	r.op.Answer(oidctest.StepToken, oidctest.Reply{Times: 2, Status: 503, ContentType: "text/plain", Body: "busy", Header: http.Header{"Retry-After": {"1"}}})
	for range 2 {
		a := r.token(exchange("x"), nil)
		assert.Equal(t, 503, a.status)
		assert.Equal(t, "busy", string(a.body))
		assert.Equal(t, "1", a.header.Get("Retry-After"))
	}
	assert.Equal(t, 401, r.token(exchange("x"), nil).status)
	r.op.Down(true)
	_, err := r.http.Get(r.client.Discovery)
	require.Error(t, err)
	r.op.Down(false)
	assert.Equal(t, 200, r.do("GET", r.client.Discovery, nil, nil).status)
}

func TestRequests(t *testing.T) {
	r := start(t, oidctest.Config{})
	r.tokens()
	r.do("GET", r.op.URL()+"/nowhere?x=1", nil, nil)
	all := r.op.Requests()
	require.Len(t, all, 3)
	assert.Equal(t, oidctest.StepAuthorize, all[0].Step)
	assert.Equal(t, "the-nonce", all[0].Query.Get("nonce"))
	assert.Equal(t, oidctest.Step(""), all[2].Step)
	sent := r.op.Sent(oidctest.StepToken)
	require.Len(t, sent, 1)
	assert.Equal(t, verifier, sent[0].Form.Get("code_verifier"))
	assert.NotEmpty(t, sent[0].Header.Get("Authorization"))
	for range 1100 {
		r.do("GET", r.op.URL()+"/", nil, nil)
	}
	assert.LessOrEqual(t, len(r.op.Requests()), 1024)
	assert.Equal(t, 413, r.do("POST", r.client.TokenEndpoint, url.Values{"x": {strings.Repeat("x", 300<<10)}}, nil).status)
}

func TestInteractivePage(t *testing.T) {
	person := oidctest.Person{Subject: "1", Name: `<script>alert("x")</script>`, Email: `"&'@example.com`}
	r := start(t, oidctest.Config{Interactive: true, Persons: []oidctest.Person{{Subject: "0", Username: "zero"}, person}})
	field := regexp.MustCompile(`name="login" value="([^"]+)"`)
	page := func() (answer, string) {
		a := r.authorize()
		require.Equal(t, 200, a.status)
		handle := field.FindSubmatch(a.body)
		require.NotNil(t, handle)
		return a, html.UnescapeString(string(handle[1]))
	}
	a, handle := page()
	text := string(a.body)
	assert.NotContains(t, text, "<script>alert", "everything is escaped")
	assert.Contains(t, text, "test provider")
	policy := a.header.Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'")
	assert.Contains(t, policy, "form-action 'self' http://127.0.0.1:1")
	assert.NotContains(t, policy, "unsafe")
	action := r.op.URL() + regexp.MustCompile(`action="(/[^"]+)"`).FindStringSubmatch(text)[1]

	back := r.do("POST", action, url.Values{"login": {handle}, "person": {"1"}}, nil).location(t)
	claims := r.verified(r.token(exchange(back.Get("code")), r.basic()).json(t)["id_token"], r.op.JWKS())
	assert.Equal(t, "1", claims["sub"])
	assert.Equal(t, 400, r.do("POST", action, url.Values{"login": {handle}, "person": {"1"}}, nil).status, "once")
	_, handle = page()
	assert.Equal(t, "access_denied", r.do("POST", action, url.Values{"login": {handle}, "person": {"0"}, "cancel": {"1"}}, nil).location(t).Get("error"))
	_, handle = page()
	r.clock.Add(10 * time.Minute)
	assert.Equal(t, 400, r.do("POST", action, url.Values{"login": {handle}, "person": {"1"}}, nil).status, "late")
}

func TestFormPost(t *testing.T) {
	r := start(t, oidctest.Config{})
	a := r.authorize("response_mode", "form_post", "state", `"><b>`)
	require.Equal(t, 200, a.status)
	assert.Contains(t, string(a.body), `action="`+redirectURI+`"`)
	assert.Contains(t, string(a.body), "<noscript><button")
	assert.NotContains(t, string(a.body), `"><b>`)
	script := regexp.MustCompile(`<script>(.*)</script>`).FindSubmatch(a.body)
	require.NotNil(t, script)
	assert.Contains(t, a.header.Get("Content-Security-Policy"), "'"+hashSource(script[1])+"'", "the script may run")
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindSubmatch(a.body)
	assert.Contains(t, a.header.Get("Content-Security-Policy"), "'"+hashSource(style[1])+"'", "the style may apply")
	fragment := r.authorize("response_mode", "fragment")
	assert.Contains(t, fragment.header.Get("Location"), "/callback#code=")
}

func TestClientHidesSecrets(t *testing.T) {
	r := start(t, oidctest.Config{})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, r.client), r.client.ClientSecret, verb)
	}
	assert.Contains(t, fmt.Sprint(r.client), "[redacted]")
	assert.NotContains(t, r.client.LogValue().String(), r.client.ClientSecret)
}

func TestNewRefuses(t *testing.T) {
	for want, config := range map[string]oidctest.Config{
		"System":     {System: 9},
		"SigningAlg": {System: oidctest.BlockID, SigningAlg: "ES256"},
		"AuthMethod": {AuthMethod: "tls_client_auth"},
		"loopback":   {Addr: "0.0.0.0:0"},
		"port":       {Addr: "127.0.0.1"},
		"Persons[1]": {Persons: []oidctest.Person{{Subject: "1"}, {}}},
		"Persons[0]": {System: oidctest.BlockID, Persons: []oidctest.Person{{Subject: "1"}}},
		"ClientKey":  {ClientKey: "text"},
	} {
		_, err := oidctest.New(config)
		assert.ErrorContains(t, err, want)
	}
}

func TestConcurrentLoginsAndClose(t *testing.T) {
	before := runtime.NumGoroutine()
	op, err := oidctest.New(oidctest.Config{System: oidctest.BankID, RedirectURIs: []string{redirectURI}})
	require.NoError(t, err)
	r := &rp{t, op, op.Client(), &clock{}, http.DefaultClient}
	r.http = &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			op.OnToken(func(i *oidctest.Issue) { i.Claims["x"] = 1 })
			assert.NotEmpty(t, r.tokens()["id_token"])
			assert.NotEmpty(t, op.Requests())
			assert.NotEmpty(t, op.Client().ProviderJWKS)
			op.SetRedirectURIs(redirectURI)
		})
	}
	all.Wait()
	r.http.CloseIdleConnections()
	require.NoError(t, op.Close())
	require.NoError(t, op.Close(), "twice")
	_, err = r.http.Get(r.client.Discovery)
	require.Error(t, err)
	// Eventually asks in a goroutine of its own.
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 5*time.Second, time.Millisecond)
}
