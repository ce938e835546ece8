package weblogin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

// Bounds of a session's life when the configuration sets none.
const (
	defaultIdleTimeout = 30 * time.Minute
	defaultLifetime    = 8 * time.Hour
)

// Config says which logins a [Handler] serves. [New] copies what it needs.
type Config struct {
	// Clients are the providers to log in with, by the {id} of the routes:
	// letters, digits, "-", "_" and ".". Required. The redirect URI of each is
	// BaseURL + "/callback/" + id, or "" where people log in without a browser only, see
	// [Handler.StartSession].
	Clients map[string]*oidcclient.Client

	// BaseURL is where browsers find the handler: https, or http on a loopback
	// address. Its path, if it has one, is the prefix of all routes. Required.
	BaseURL string

	// Sealer seals cookies and stored sessions. Nil means a key made by New:
	// what it sealed is lost with the process, so that a store of one's own
	// needs a Sealer of one's own.
	Sealer *oidcclient.Sealer

	// Sessions keeps the sessions; nil means in memory.
	Sessions SessionStore

	// SessionsInCookies leaves each session with its browser, sealed, and keeps
	// in Sessions only what has changed since: sessions that ended early, and
	// those whose tokens were renewed. They survive a restart without a store of
	// one's own (but see SESSIONS.md), need a Sealer of one's own for that, and
	// add their size, some kilobytes, to each request. Each process remembers at most
	// 500,000 front-channel logouts at a time, and 10,000 of them in memory, because anybody
	// can make them up, and answers more with 503; back-channel logouts have no such bound.
	SessionsInCookies bool

	// Replay remembers used logins and logout tokens. Nil means Sessions, which
	// then has to be a ReplayStore too.
	Replay ReplayStore

	// CookieName tells apart the cookies of applications on one host, which
	// share them whatever their port: letters, digits, "-" and "_"; "" means
	// "rely".
	CookieName string

	// IdleTimeout ends a session that long after its last use; 0 means 30
	// minutes.
	IdleTimeout time.Duration

	// Lifetime ends a session that long after its login, used or not; 0 means 8
	// hours.
	Lifetime time.Duration

	// LoginPath is where [Handler.Require] sends a browser without a session, a
	// path of this origin, with return_to as a parameter. "" means the login of
	// the only client, or "/" where there are several.
	LoginPath string

	// OnLogin, when not nil, is asked about each completed login before the
	// session begins. An error refuses the login: a [*Problem] is shown as it
	// is, and any other error as an internal one.
	OnLogin func(ctx context.Context, login Login) error

	// ErrorPage, when not nil, writes the page for a browser in place of this
	// package's plain one, status and headers included. Security headers are
	// set before and may be replaced.
	ErrorPage func(w http.ResponseWriter, r *http.Request, p *Problem)

	// Clock tells the time; nil means time.Now.
	Clock func() time.Time

	// Logger receives what happened to logins and sessions, without tokens and
	// personal data; nil means silence.
	Logger *slog.Logger
}

// A Login is a completed login, before its session begins.
type Login struct {
	// Client is the key of the client in Config.Clients.
	Client string
	// Session is who the person is; or nobody, with the tokens that they consented to,
	// where the client's profile has [oidcclient.IdentifyNobody].
	Session *oidcclient.Session
	// LinkTo is the session in which the person asked to link this login to
	// their account; nil for an ordinary login. After OnLogin accepts it, the
	// session goes on, with a new id, and the login's own tokens are dropped.
	LinkTo *Session
}

// A Handler serves the routes of this package. It is safe for concurrent use,
// starts no goroutine, and needs no closing.
type Handler struct {
	clients     map[string]*oidcclient.Client
	base        *url.URL
	prefix      string // path of base, without a slash at its end
	sealer      *oidcclient.Sealer
	sessions    SessionStore
	inCookies   bool   // sessions live in cookies until something changes
	replica     string // names this process as the holder of leases
	leaseRenews time.Duration
	replay      ReplayStore
	cookie      string // prefix of all cookie names
	idle, life  time.Duration
	loginPath   string
	onLogin     func(context.Context, Login) error
	errorPage   func(http.ResponseWriter, *http.Request, *Problem)
	now         func() time.Time
	log         *slog.Logger

	crossOrigin *http.CrossOriginProtection
	routes      *http.ServeMux
	turns       turns
	needs       needs
	readiness   readiness
	troubles    troubles
	strangers   strangers
}

// New checks a configuration and returns its handler. It makes no network
// request.
func New(config Config) (*Handler, error) {
	h := &Handler{
		clients: maps.Clone(config.Clients), sealer: config.Sealer, sessions: config.Sessions, replay: config.Replay,
		inCookies: config.SessionsInCookies, replica: newRandom(), leaseRenews: leaseRenews,
		idle: config.IdleTimeout, life: config.Lifetime, loginPath: config.LoginPath,
		onLogin: config.OnLogin, errorPage: config.ErrorPage, now: config.Clock, log: config.Logger,
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	for _, step := range []func(Config) error{h.setBase, h.setClients, h.setCookies, h.setStores, h.setTimes} {
		if err := step(config); err != nil {
			return nil, fmt.Errorf("weblogin: %w", err)
		}
	}
	h.turns.now = h.now
	h.crossOrigin = http.NewCrossOriginProtection()
	// A proxy may change Host; what browsers see is BaseURL.
	if err := h.crossOrigin.AddTrustedOrigin(h.base.Scheme + "://" + h.base.Host); err != nil {
		return nil, fmt.Errorf("weblogin: config: BaseURL is no origin: %w", err)
	}
	h.routes = h.newRoutes()
	return h, nil
}

func (h *Handler) setBase(config Config) error {
	u, err := url.Parse(strings.TrimSuffix(config.BaseURL, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return errors.New("config: BaseURL is not an absolute URL without query and fragment")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errors.New("config: BaseURL is neither https nor http on a loopback address")
	}
	if u.Path != "" && (path.Clean(u.Path) != u.Path || u.Path == "/" || u.RawPath != "" || strings.ContainsAny(u.Path, "{}")) {
		return errors.New("config: BaseURL has a path that is not in its simplest form")
	}
	h.base, h.prefix = u, u.Path
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func (h *Handler) setClients(Config) error {
	if len(h.clients) == 0 {
		return errors.New("config: Clients is empty")
	}
	segment := regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$`)
	for id, client := range h.clients {
		if !segment.MatchString(id) || client == nil {
			return fmt.Errorf("client %q: is nil, or its name doesn't fit in a path", id)
		}
		if want := h.base.String() + "/callback/" + id; client.RedirectURI() != "" && client.RedirectURI() != want {
			return fmt.Errorf("client %q: its redirect URI (redirect_uris) is not %s", id, want)
		}
	}
	if h.loginPath == "" {
		h.loginPath = "/"
		if len(h.clients) == 1 {
			for id := range h.clients {
				h.loginPath = h.prefix + "/login/" + id
			}
		}
	}
	if returnTo(h.loginPath) != h.loginPath {
		return errors.New("config: LoginPath is not a path of this origin")
	}
	return nil
}

func (h *Handler) setCookies(config Config) error {
	name := config.CookieName
	if name == "" {
		name = "rely"
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`).MatchString(name) {
		return errors.New("config: CookieName has other characters than letters, digits, - and _, or more than 32")
	}
	h.cookie = "__Host-" + name + "-"
	return nil
}

func (h *Handler) setStores(Config) error {
	if h.sealer == nil && h.sessions != nil {
		return errors.New("config: Sealer is missing: a store outlives the process, and a key made here doesn't")
	}
	if h.sessions == nil {
		memory := NewMemory(h.now)
		h.sessions = memory
		if h.replay == nil {
			h.replay = memory
		}
	}
	if h.replay == nil {
		both, ok := h.sessions.(ReplayStore)
		if !ok {
			return errors.New("config: Replay is missing, and Sessions is no ReplayStore")
		}
		h.replay = both
	}
	h.strangers.most = maxStrangersStored
	if _, ok := h.sessions.(*Memory); ok {
		h.strangers.most = maxStrangers
	}
	if h.sealer != nil {
		return nil
	}
	key := make([]byte, oidcclient.SealerKeySize)
	rand.Read(key) // never fails: crypto/rand ends the program instead
	var err error
	h.sealer, err = oidcclient.NewSealer(key)
	return err
}

func (h *Handler) setTimes(Config) error {
	if h.idle < 0 || h.life < 0 {
		return errors.New("config: IdleTimeout or Lifetime is negative")
	}
	if h.idle == 0 {
		h.idle = defaultIdleTimeout
	}
	if h.life == 0 {
		h.life = defaultLifetime
	}
	return nil
}
