package weblogin

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

func newHostingSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, rig{
		ops:    map[string]oidctest.Config{"op": {AuthMethod: "private_key_jwt"}},
		client: func(_ string, c *oidcclient.Config) { c.Carriage, c.DPoP = oidcclient.CarryReference, true },
	})
}

// The provider fetches the request from where it is served, and what it fetches counts.
func TestHostedRequest(t *testing.T) {
	s := newHostingSite(t)
	b := s.browser()
	p := b.ask("/login/op?return_to=/there", nil)
	to, err := url.Parse(p.to(t))
	require.NoError(t, err)
	query := to.Query()
	for _, name := range []string{"state", "nonce", "code_challenge", "redirect_uri", "request"} {
		assert.False(t, query.Has(name), name)
	}
	uri := query.Get("request_uri")
	assert.LessOrEqual(t, len(uri), 512)
	path, ok := strings.CutPrefix(uri, s.url)
	require.True(t, ok)
	other := s.browser() // the provider has no cookie of ours
	for range 2 {
		served := other.ask(path, nil)
		assert.Equal(t, http.StatusOK, served.StatusCode)
		assert.Equal(t, "application/oauth-authz-req+jwt", served.Header.Get("Content-Type"))
		assert.Equal(t, "no-store", served.Header.Get("Cache-Control"))
		assert.Equal(t, 2, strings.Count(served.body, "."))
	}
	for name, bad := range map[string]string{
		"another client":    strings.Replace(path, "/op/", "/other/", 1),
		"another handle":    path[:len(path)-4] + "AAAA",
		"no handle":         "/request/op/x",
		"nothing":           "/request/op/",
		"a sealed anything": "/request/op/" + seal(t, s, "another purpose"),
	} {
		assert.Equal(t, http.StatusNotFound, other.ask(bad, nil).StatusCode, name)
	}
	assert.Equal(t, http.StatusMethodNotAllowed, other.ask(path, url.Values{}).StatusCode)

	b.login("/login/op")
	assert.NotNil(t, b.session())
	s.clock.Advance(5 * time.Minute)
	assert.Equal(t, http.StatusNotFound, other.ask(path, nil).StatusCode, "its time is over")
}

func seal(t *testing.T, s *site, purpose string) string {
	t.Helper()
	text, err := s.h.sealer.Seal(purpose, make([]byte, 16), []byte("op"))
	require.NoError(t, err)
	return text
}

// A request that would not fit is refused, and nothing is cut off.
func TestHostedRequestThatIsTooLong(t *testing.T) {
	s := newHostingSite(t)
	issuer := s.h.clients["op"].Issuer()
	hint := ""
	for range 20 {
		hint += rand.Text() // which nothing makes shorter
	}
	p := s.browser().ask("/initiate/op?"+url.Values{"iss": {issuer}, "login_hint": {hint}}.Encode(), nil)
	assert.Equal(t, http.StatusBadRequest, p.StatusCode)
	p = s.browser().ask("/initiate/op?"+url.Values{"iss": {issuer}, "login_hint": {"somebody.with.a.long.name@mail.example.com"}}.Encode(), nil)
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
}

// A client of another carriage has nothing to be fetched.
func TestNothingIsHosted(t *testing.T) {
	s := newSite(t, rig{})
	assert.Equal(t, http.StatusNotFound, s.browser().ask("/request/op/x", nil).StatusCode)
}

// What each login of the client asks for takes no place in the address.
func TestHostedRequestOfMuchThatIsConfigured(t *testing.T) {
	members := make([]string, 60)
	for i := range members {
		members[i] = `"claim-` + rand.Text() + `":{"essential":true}`
	}
	claims := `{"userinfo":{` + strings.Join(members, ",") + `}}`
	s := newSite(t, rig{
		ops: map[string]oidctest.Config{"op": {AuthMethod: "private_key_jwt"}},
		client: func(_ string, c *oidcclient.Config) {
			c.Carriage, c.DPoP, c.Authorize.Claims = oidcclient.CarryReference, true, claims
			c.Authorize.AuthorizationDetails, c.Authorize.Resources = `[{"type":"`+rand.Text()+`"}]`, []string{"https://api.example/" + rand.Text(), "https://api.example/2"}
		},
	})
	b := s.browser()
	p := b.ask("/login/op", nil)
	require.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
	to, err := url.Parse(p.to(t))
	require.NoError(t, err)
	served := b.ask(strings.TrimPrefix(to.Query().Get("request_uri"), s.url), nil)
	require.Equal(t, http.StatusOK, served.StatusCode)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(served.body, ".")[1])
	require.NoError(t, err)
	var object struct {
		Claims   json.RawMessage `json:"claims"`
		Resource []string        `json:"resource"`
	}
	require.NoError(t, json.Unmarshal(payload, &object))
	assert.JSONEq(t, claims, string(object.Claims))
	assert.Len(t, object.Resource, 2)
}
