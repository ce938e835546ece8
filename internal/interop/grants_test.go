package interop_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// hurried is a clock whose hour is as short as a test: it moves on when it is told to.
type hurried struct{ ahead time.Duration }

func (h *hurried) now() time.Time { return time.Now().Add(h.ahead) }

// testDevice logs in on a device while a person types its code somewhere else (RFC
// 8628).
func testDevice(t *testing.T, rp *relyingParty, op *engine) {
	config := rp.config(op.issuer, "device", "")
	config.AuthMethod, config.RedirectURI, config.PostLogoutRedirectURI = "none", "", ""
	config.Provider = &oidcclient.ProviderMetadata{Issuer: op.issuer, JWKSURI: op.issuer + "/jwks"}
	c := newClient(t, config)
	clock := &hurried{}
	device, err := grants.BeginDevice(t.Context(), c, grants.DeviceRequest{Request: grants.Request{Scopes: []string{"openid", "email"}}, Clock: clock.now})
	require.NoError(t, err)
	require.NotEmpty(t, device.UserCode)
	clock.ahead += device.Interval()
	_, err = device.Poll(t.Context())
	require.ErrorIs(t, err, grants.ErrPending)
	confirmDevice(t, device.VerificationURIComplete)
	clock.ahead += device.Interval() + 5*time.Second
	session, err := device.Poll(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "alice", session.Subject())
}

var hiddenField = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

// confirmDevice is the person with the browser.
func confirmDevice(t *testing.T, page string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	person := &http.Client{Jar: jar}
	t.Cleanup(person.CloseIdleConnections)
	send := func(resp *http.Response, err error) string {
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
		return string(text)
	}
	text := send(person.Get(page))
	action, _, _ := strings.Cut(page, "?")
	for range 2 { // the code, and that it is the one on the device
		form := url.Values{"confirm": {"yes"}}
		for _, field := range hiddenField.FindAllStringSubmatch(text, -1) {
			form.Set(field[1], html.UnescapeString(field[2]))
		}
		if !form.Has("xsrf") {
			return
		}
		u, err := url.Parse(page)
		require.NoError(t, err)
		form.Set("user_code", u.Query().Get("user_code"))
		text = send(person.PostForm(action, form))
	}
}

// testCIBA logs in a person who decides at another device (OpenID Connect CIBA Core, in
// poll mode), with a plain and with a signed request.
func testCIBA(t *testing.T, rp *relyingParty, op *engine) {
	for _, id := range []string{"ciba", "ciba-signed"} {
		t.Run(id, func(t *testing.T) {
			config := rp.config(op.issuer, id, secret)
			config.RedirectURI, config.PostLogoutRedirectURI = "", ""
			config.Provider = &oidcclient.ProviderMetadata{Issuer: op.issuer, JWKSURI: op.issuer + "/jwks"}
			if id == "ciba-signed" {
				config.ClientSecret, config.AuthMethod, config.Key = "", "private_key_jwt", rp.key(t, "ES256")
				config.BackchannelAlgorithm = "ES256"
			}
			c := newClient(t, config)
			clock := &hurried{}
			begin := func(who string) (*grants.Backchannel, error) {
				return grants.BeginBackchannel(t.Context(), c, grants.BackchannelRequest{
					Request: grants.Request{Scopes: []string{"openid"}}, LoginHint: who, BindingMessage: "W4SCT", Clock: clock.now,
				})
			}
			login, err := begin("alice")
			require.NoError(t, err)
			clock.ahead += login.Interval()
			session, err := login.Poll(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())

			login, err = begin("bob")
			require.NoError(t, err)
			clock.ahead += login.Interval()
			_, err = login.Poll(t.Context())
			var refused *oidcclient.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "access_denied", refused.Code)

			_, err = begin("nobody")
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "unknown_user_id", refused.Code)
		})
	}
}

// testTokenManagement asks about tokens, in plain and in signed answers (RFC 7662, RFC
// 9701), and ends them (RFC 7009).
func testTokenManagement(t *testing.T, rp *relyingParty, op *engine) {
	for id, alg := range map[string]string{"basic": "", "introspect": "ES256"} {
		t.Run(id, func(t *testing.T) {
			config := rp.config(op.issuer, id, secret)
			config.IntrospectionAlgorithm = alg
			c := newClient(t, config)
			session, err := newBrowser(t, rp.origin).login(t, c, offline())
			require.NoError(t, err)
			token := session.AccessToken().Value
			about, err := grants.Introspect(t.Context(), c, token, "access_token")
			require.NoError(t, err)
			assert.True(t, about.Active)
			require.NoError(t, grants.Revoke(t.Context(), c, token, "access_token"))
			about, err = grants.Introspect(t.Context(), c, token, "access_token")
			require.NoError(t, err)
			assert.False(t, about.Active)
		})
	}
}
