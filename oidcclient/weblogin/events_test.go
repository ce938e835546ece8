package weblogin

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// documented reads the events and their attributes from the package comment.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	file, err := os.Open("doc.go")
	require.NoError(t, err)
	defer file.Close()
	events, inside := map[string][]string{}, false
	line := regexp.MustCompile(`^//\t(\S+(?: \S+)*)(?:  +([a-z, ]+))?(?::.*)?$`)
	for scan := bufio.NewScanner(file); scan.Scan(); {
		inside = inside || scan.Text() == "// # Events"
		if match := line.FindStringSubmatch(scan.Text()); inside && match != nil {
			events[match[1]] = strings.Split(match[2], ", ")
		}
	}
	require.Len(t, events, 17)
	return events
}

// recorder keeps what was logged.
type recorder struct {
	mu     sync.Mutex
	events map[string][]string // names of attributes by message
	text   strings.Builder
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events[record.Message] = []string{}
	r.text.WriteString(record.Message)
	record.Attrs(func(a slog.Attr) bool {
		r.events[record.Message] = append(r.events[record.Message], a.Key)
		r.text.WriteString(" " + a.Key + "=" + a.Value.String())
		return true
	})
	r.text.WriteString("\n")
	return nil
}

// Each event that happens is documented with its attributes, the ordinary ones do
// happen, and none shows a secret or a person.
func TestEvents(t *testing.T) {
	heard := &recorder{events: map[string][]string{}}
	store := &brokenStore{}
	s := newSite(t, rig{ops: map[string]oidctest.Config{"op": {}}, client: func(_ string, c *oidcclient.Config) { c.UserInfo = true }, config: func(c *Config) { c.Logger = slog.New(heard) }})
	store.Memory = s.memory()
	s.h.sessions = store
	b := s.browser()
	target, _ := b.start("/login/op")
	b.ask(target, nil)
	person, secret := b.session(), s.h.must(t, b).Login.Token()
	b.ask(target, nil) // once more: refused
	b.ask("/login/nobody", nil)
	b.send(http.MethodPost, "/refresh", "", "Origin", "https://evil.example")
	b.send(http.MethodPost, "/refresh", "")
	s.ops["op"].Answer(oidctest.StepUserInfo, oidctest.Reply{Status: 503})
	b.send(http.MethodPost, "/refresh", "") // userinfo as it was
	s.ops["op"].Down(true)
	b.send(http.MethodPost, "/refresh", "")
	s.ops["op"].Down(false)
	_, linked, _ := b.follow(b.ask("/login/op?link=1", url.Values{}), b.url+"/callback/")
	b.ask(linked, nil)
	store.failing = "load"
	b.ask("/session", nil)
	store.failing = ""
	s.ops["op"].Answer(oidctest.StepToken, oidctest.Reply{Status: 400, ContentType: "application/json", Body: `{"error":"invalid_grant"}`})
	b.send(http.MethodPost, "/refresh", "")
	b.login("/login/op")
	status, err := s.ops["op"].BackChannelLogout(t.Context(), person["subject"].(string), "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	b.login("/login/op")
	b.send(http.MethodPost, "/logout", "")

	u, err := url.Parse(target)
	require.NoError(t, err)
	callback := u.Query()
	require.NotEmpty(t, callback.Get("code"))
	known := documented(t)
	for event, attributes := range heard.events {
		if assert.Contains(t, known, event) {
			for _, name := range attributes {
				assert.Contains(t, known[event], name, event)
			}
		}
	}
	for event := range known {
		rare := []string{"provider's logout not reached", "tokens not stored", "session cookie not renewed", "stored session can't be opened", "request failed"}
		if !slices.Contains(rare, event) {
			assert.Contains(t, heard.events, event)
		}
	}
	for _, hidden := range []string{
		person["subject"].(string), secret.AccessToken, secret.RefreshToken, "eyJhbGciOi", callback.Get("code"), callback.Get("state"),
	} {
		assert.NotContains(t, heard.text.String(), hidden)
	}
}
