package weblogin

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// What comes in a fragment is posted by a page of ours, whose script is the only one
// that its policy allows.
func TestFragment(t *testing.T) {
	s := newSite(t, rig{client: func(_ string, c *oidcclient.Config) { c.ResponseMode = "fragment" }})
	b := s.browser()
	begun, err := url.Parse(b.ask("/login/op", nil).to(t))
	require.NoError(t, err)
	assert.Equal(t, "fragment", begun.Query().Get("response_mode"))
	state := begun.Query().Get("state")

	p := b.ask("/callback/op", nil)
	require.Equal(t, http.StatusOK, p.StatusCode)
	script := regexp.MustCompile(`<script>(.*)</script>`).FindStringSubmatch(p.body)
	require.Len(t, script, 2)
	sum := sha256.Sum256([]byte(script[1]))
	assert.Contains(t, p.Header.Get("Content-Security-Policy"), "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	assert.Equal(t, "no-store", p.Header.Get("Cache-Control"))
	assert.Equal(t, 1, b.waiting(), "nothing has happened yet")

	program := []string{"Accept", "application/json"}
	code, description := b.ask("/callback/op?"+url.Values{"code": {"c"}, "state": {state}}.Encode(), nil, program...).refusal(t)
	assert.Equal(t, "login_refused", code)
	assert.Contains(t, description, "response_mode", "a query is another mode than was asked for")
	code, _ = b.ask("/callback/op", url.Values{"code": {"c"}, "state": {"." + state[1:]}}, program...).refusal(t)
	assert.Equal(t, "login_refused", code)

	b = s.browser()
	begun, err = url.Parse(b.ask("/login/op", nil).to(t))
	require.NoError(t, err)
	code, _ = b.ask("/callback/op", url.Values{"code": {"c"}, "state": {begun.Query().Get("state")}, "iss": {s.ops["op"].Issuer()}}, program...).refusal(t)
	assert.Equal(t, "invalid_grant", code, "the code was sent")
}
