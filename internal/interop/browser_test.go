package interop_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/rely-go/rely/oidcclient"
)

// browser is a person at a browser: it keeps cookies, follows redirects, fills in
// forms, and stops when it is sent to the relying party.
type browser struct {
	client *http.Client
	home   string            // origin of the relying party
	knows  map[string]string // what the person enters into fields of these names
}

func newBrowser(t *testing.T, home string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{home: home, knows: map[string]string{}, client: &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// arrival is the request that a browser would make to the relying party.
type arrival struct {
	method string
	path   string
	values url.Values
}

// visit goes to an address and on from there until it is sent home.
func (b *browser) visit(t *testing.T, method, address string, form url.Values) arrival {
	t.Helper()
	target, err := url.Parse(address)
	require.NoError(t, err)
	for range 20 {
		if strings.HasPrefix(target.String(), b.home+"/") {
			values := target.Query()
			switch {
			case method == http.MethodPost:
				values = form
			case target.Fragment != "": // what the page of weblogin posts
				values, err = url.ParseQuery(target.EscapedFragment())
				require.NoError(t, err)
			}
			return arrival{method, target.Path, values}
		}
		method, target, form = b.step(t, method, target, form)
	}
	require.FailNow(t, "provider sends the browser in circles")
	return arrival{}
}

// step makes one request and returns the next.
func (b *browser) step(t *testing.T, method string, target *url.URL, form url.Values) (string, *url.URL, url.Values) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target.String(), strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	if next, err := resp.Location(); err == nil && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return http.MethodGet, next, nil
	}
	page, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	require.NoError(t, err)
	action, fields, ok := readForm(string(page))
	require.True(t, ok, "provider answered %d to %s:\n%s", resp.StatusCode, target.Path, page)
	for name := range fields {
		if value, known := b.knows[name]; known {
			fields.Set(name, value)
		}
	}
	next, err := target.Parse(action)
	require.NoError(t, err)
	return http.MethodPost, next, fields
}

// readForm returns where the form of a page goes, with the named fields and
// buttons as they stand there.
func readForm(page string) (action string, fields url.Values, ok bool) {
	fields = url.Values{}
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", nil, false
	}
	for node := range root.Descendants() {
		attributes := map[string]string{}
		for _, a := range node.Attr {
			attributes[a.Key] = a.Val
		}
		switch {
		case node.Data == "form":
			action, ok = attributes["action"], true
		case (node.Data == "input" || node.Data == "button") && attributes["name"] != "":
			fields.Set(attributes["name"], attributes["value"])
		}
	}
	return action, fields, ok
}

// authorize takes a login to the provider and returns with what it sends back.
func (b *browser) authorize(t *testing.T, client *oidcclient.Client, opts oidcclient.BeginOptions) (*oidcclient.Pending, arrival) {
	t.Helper()
	auth, pending, err := client.Begin(t.Context(), opts)
	require.NoError(t, err)
	back := b.visit(t, auth.Method, auth.URL, auth.Form)
	require.Equal(t, "/callback", back.path)
	return pending, back
}

// login does a whole login, whose result may be an error.
func (b *browser) login(t *testing.T, client *oidcclient.Client, opts oidcclient.BeginOptions) (*oidcclient.Session, error) {
	t.Helper()
	pending, back := b.authorize(t, client, opts)
	return client.Complete(t.Context(), pending, back.values)
}
