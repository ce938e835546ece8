package app

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

// start serves the README's handlers, with a client for a provider that runs
// here in the place of the one that New makes.
func start(t *testing.T) (op *oidctest.Provider, browser *http.Client, base string) {
	t.Helper()
	app, err := New("secret", make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", app.Login)
	mux.HandleFunc("GET /callback", app.Callback)
	server := httptest.NewTLSServer(mux) // browsers give Secure cookies to https
	t.Cleanup(server.Close)

	op, err = oidctest.New(oidctest.Config{RedirectURIs: []string{server.URL + "/callback"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	config, err := relying.Config(op)
	require.NoError(t, err)
	app.client, err = oidcclient.New(config)
	require.NoError(t, err)
	browser = server.Client()
	browser.Jar, err = cookiejar.New(nil)
	require.NoError(t, err)
	return op, browser, server.URL
}

func get(t *testing.T, browser *http.Client, target string) (int, string, *http.Response) {
	t.Helper()
	resp, err := browser.Get(target)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body), resp
}

func TestLogin(t *testing.T) {
	op, browser, base := start(t)
	status, body, resp := get(t, browser, base+"/login")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, op.Persons()[0].Subject)

	status, _, _ = get(t, browser, resp.Request.URL.String())
	assert.Equal(t, http.StatusBadRequest, status, "the same callback again")
	at, err := url.Parse(base + "/callback")
	require.NoError(t, err)
	for _, cookie := range browser.Jar.Cookies(at) { // the provider has its own on this host
		assert.NotContains(t, cookie.Name, "login-", "nothing of ours is left")
	}
}

// beforeCallback logs in and returns where the provider sends the browser back to.
func beforeCallback(t *testing.T, browser *http.Client, base string) string {
	t.Helper()
	browser.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if next.URL.Path == "/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	_, _, resp := get(t, browser, base+"/login")
	callback := resp.Header.Get("Location")
	require.Contains(t, callback, "code=")
	return callback
}

func TestPersonSaysNo(t *testing.T) {
	_, browser, base := start(t)
	callback := beforeCallback(t, browser, base)
	status, body, _ := get(t, browser, strings.Replace(callback, "code=", "error=access_denied&error_description=", 1))
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, body, "access_denied")
}

func TestLoginOfAnotherBrowser(t *testing.T) {
	_, browser, base := start(t)
	callback := beforeCallback(t, browser, base)
	stranger := &http.Client{Transport: browser.Transport}
	status, body, _ := get(t, stranger, callback)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.NotContains(t, body, "code")
	status, _, _ = get(t, browser, callback)
	assert.Equal(t, http.StatusOK, status)
}

func TestProviderIsDown(t *testing.T) {
	op, browser, base := start(t)
	require.NoError(t, op.Close())
	status, body, _ := get(t, browser, base+"/login")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "oidcclient: discovery: provider not reached\n", body)
}

func TestCookie(t *testing.T) {
	_, browser, base := start(t)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	status, _, resp := get(t, browser, base+"/login")
	assert.Equal(t, http.StatusSeeOther, status)
	require.Len(t, resp.Cookies(), 1)
	cookie := resp.Cookies()[0]
	assert.Regexp(t, "^__Host-login-.{43}$", cookie.Name)
	assert.True(t, cookie.Secure && cookie.HttpOnly && cookie.Path == "/" && cookie.Domain == "")
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	assert.Equal(t, 600, cookie.MaxAge)
}
