package weblogin

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

// site is an application with a provider for each of its clients.
type site struct {
	t       *testing.T
	url     string
	ops     map[string]*oidctest.Provider
	h       *Handler // the one that serves now; see use
	serving atomic.Pointer[Handler]
	clock   *testClock
	began   time.Time
	log     *lockedBuffer
}

// usual is the provider of all sites that want nothing special: its keys take
// long to make. Its clock is theirs.
var usual = sync.OnceValues(func() (*oidctest.Provider, error) {
	return oidctest.New(oidctest.Config{Clock: usualClock.Now})
})

var usualClock = newTestClock()

// provider returns the provider for a client of the site.
func (s *site) provider(id string, config oidctest.Config) *oidctest.Provider {
	s.t.Helper()
	redirect, backChannel, frontChannel := s.url+"/callback/"+id, s.url+"/backchannel-logout/"+id, s.url+"/frontchannel-logout/"+id
	if s.clock == usualClock {
		op, err := usual()
		require.NoError(s.t, err)
		op.SetRedirectURIs(redirect)
		op.SetLogoutURIs(backChannel, frontChannel, s.url+"/")
		s.t.Cleanup(func() {
			op.OnToken(nil)
			op.Down(false)
			op.LoginAs("")
		})
		return op
	}
	config.Clock, config.RedirectURIs, config.PostLogoutRedirectURIs = s.clock.Now, []string{redirect}, []string{s.url + "/"}
	config.BackChannelLogoutURI, config.FrontChannelLogoutURI = backChannel, frontChannel
	op, err := oidctest.New(config)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { assert.NoError(s.t, op.Close()) })
	return op
}

// sent counts the requests of a grant that the provider of the client "op" got
// since the site is there.
func (s *site) sent(grant string) int {
	n := 0
	for _, request := range s.ops["op"].Sent(oidctest.StepToken) {
		if request.Form.Get("grant_type") == grant && !request.Time.Before(s.began) {
			n++
		}
	}
	return n
}

// inCookies makes the sessions of all sites live in cookies. Only
// TestSessionsInCookies sets it.
var inCookies bool

// rig says what a site is made of: a usual provider "op", unless ops has others.
type rig struct {
	ops    map[string]oidctest.Config
	client func(id string, c *oidcclient.Config)
	config func(*Config)
}

func newSite(t *testing.T, r rig) *site {
	t.Helper()
	s := &site{t: t, clock: newTestClock(), ops: map[string]*oidctest.Provider{}, log: &lockedBuffer{}}
	if r.ops == nil {
		r.ops, s.clock = map[string]oidctest.Config{"op": {}}, usualClock
	}
	s.began = s.clock.Now()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serving.Load().ServeHTTP(w, r) }))
	s.url = "http://" + server.Listener.Addr().String()
	config := Config{BaseURL: s.url, Clock: s.clock.Now, Clients: map[string]*oidcclient.Client{}, SessionsInCookies: inCookies}
	config.Logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for id, op := range r.ops {
		provider := s.provider(id, op)
		s.ops[id] = provider
		client, err := relying.Config(provider)
		require.NoError(t, err)
		client.Clock, client.PostLogoutRedirectURI = s.clock.Now, s.url+"/"
		if r.client != nil {
			r.client(id, &client)
		}
		config.Clients[id], err = oidcclient.New(client)
		require.NoError(t, err)
	}
	if r.config != nil {
		r.config(&config)
	}
	h, err := New(config)
	require.NoError(t, err)
	s.use(h)
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// loopbackJar keeps Secure cookies for loopback over plain http, as browsers do.
type loopbackJar struct{ *cookiejar.Jar }

func secured(u *url.URL) *url.URL {
	copied := *u
	copied.Scheme = "https"
	return &copied
}

func (j loopbackJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.Jar.SetCookies(secured(u), cookies)
}

func (j loopbackJar) Cookies(u *url.URL) []*http.Cookie { return j.Jar.Cookies(secured(u)) }

// browser follows redirects and forms that post themselves.
type browser struct {
	*site
	jar    loopbackJar
	client *http.Client
	header http.Header
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	b := &browser{site: s, jar: loopbackJar{jar}, header: http.Header{"Accept": {"text/html"}}}
	b.client = &http.Client{Jar: b.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// page is what a request was answered with.
type page struct {
	*http.Response
	body string
}

func (p page) json(t *testing.T) map[string]any {
	t.Helper()
	var out map[string]any
	d := json.NewDecoder(strings.NewReader(p.body))
	d.UseNumber()
	require.NoError(t, d.Decode(&out), "%s", p.body)
	return out
}

// to resolves the Location of a page.
func (p page) to(t *testing.T) string {
	t.Helper()
	u, err := p.Location()
	require.NoError(t, err, "status %d: %s", p.StatusCode, p.body)
	return u.String()
}

// ask makes one request and follows nothing. form nil is a GET.
func (b *browser) ask(target string, form url.Values, header ...string) page {
	b.t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	return b.send(method, target, body, header...)
}

func (b *browser) send(method, target, body string, header ...string) page {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.url + target
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	require.NoError(b.t, err)
	maps.Copy(r.Header, b.header)
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(b.t, err)
	return page{answer, string(text)}
}

// follow goes on from a page until one stops: not a redirect, not a form that
// posts itself, or a request to the URL until.
func (b *browser) follow(p page, until string) (last page, target string, form url.Values) {
	b.t.Helper()
	action := regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	field := regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	for range 20 {
		switch match := action.FindStringSubmatch(p.body); {
		case p.StatusCode == http.StatusFound || p.StatusCode == http.StatusSeeOther:
			target, form = p.to(b.t), nil
		case p.StatusCode == http.StatusOK && match != nil:
			target, form = html.UnescapeString(match[1]), url.Values{}
			for _, f := range field.FindAllStringSubmatch(p.body, -1) {
				form.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
			}
		default:
			return p, p.Request.URL.String(), nil
		}
		if until != "" && strings.HasPrefix(target, until) {
			return p, target, form
		}
		p = b.ask(target, form)
	}
	require.Fail(b.t, "too many redirects")
	return p, "", nil
}

// start begins a login and returns the callback with which it would end.
func (b *browser) start(path string) (target string, form url.Values) {
	b.t.Helper()
	_, target, form = b.follow(b.ask(path, nil), b.url+"/callback/")
	require.Contains(b.t, target, "/callback/")
	return target, form
}

// login logs in and returns the answer of the callback.
func (b *browser) login(path string) page {
	b.t.Helper()
	target, form := b.start(path)
	return b.ask(target, form)
}

// session returns the JSON of GET /session, or nil without one.
func (b *browser) session() map[string]any {
	b.t.Helper()
	p := b.ask("/session", nil, "Accept", "application/json")
	if p.StatusCode == http.StatusUnauthorized {
		assert.Equal(b.t, "login_required", p.json(b.t)["error"])
		return nil
	}
	require.Equal(b.t, http.StatusOK, p.StatusCode, p.body)
	return p.json(b.t)
}

// cookies returns the names and values of our cookies that the browser would
// send: providers on the same host have others.
func (b *browser) cookies() map[string]string {
	b.t.Helper()
	u, err := url.Parse(b.url)
	require.NoError(b.t, err)
	out := map[string]string{}
	for _, c := range b.jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "__Host-rely-") {
			out[c.Name] = c.Value
		}
	}
	return out
}

// presented is what the browser's cookies say of its session.
func (b *browser) presented() presented {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url, nil)
	require.NoError(b.t, err)
	for name, value := range b.cookies() {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return b.h.presented(r)
}

// waiting counts the login cookies.
func (b *browser) waiting() int {
	n := 0
	for name := range b.cookies() {
		if strings.HasPrefix(name, "__Host-rely-login-") {
			n++
		}
	}
	return n
}

// jsonError returns error and error_description, asking again in JSON is not
// needed: the page has to be JSON.
func (p page) refusal(t *testing.T) (code, description string) {
	t.Helper()
	out := p.json(t)
	require.Len(t, out, 2)
	return out["error"].(string), out["error_description"].(string)
}

// use makes another handler serve the site.
func (s *site) use(h *Handler) {
	s.h = h
	s.serving.Store(h)
}

// asError returns the client's error.
func asError(t *testing.T, err error) *oidcclient.Error {
	t.Helper()
	var e *oidcclient.Error
	require.ErrorAs(t, err, &e)
	return e
}
