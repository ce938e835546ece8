package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/clientconfig"
	"github.com/rely-go/rely/oidcclient/federation"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

// places are where people can log in.
type places struct {
	baseURL  string
	clients  map[string]*oidcclient.Client
	apis     map[string]string             // URLs that are called with a client's tokens
	pings    map[string]bool               // who is notified of logins without a browser
	entities map[string]*federation.Entity // what clients say to their federations, by path
	embedded []*oidctest.Provider
}

// open reads the providers of a file, or starts embedded ones without a file.
// baseURL holds unless the file names another.
func open(file, baseURL string, log *slog.Logger) (*places, error) {
	if file == "" {
		return embedded(baseURL, log)
	}
	config, err := clientconfig.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := &places{baseURL: baseURL, apis: config.Resources, pings: config.Pings}
	if config.BaseURL != "" {
		p.baseURL = config.BaseURL
	}
	if u, err := url.Parse(p.baseURL); err == nil && strings.TrimSuffix(u.Path, "/") != "" {
		return nil, &clientconfig.Error{Member: "base_url", Reason: "has a path, and this application's pages are not below one"}
	}
	starting := &starting{Handler: log.Handler()}
	if p.clients, err = config.New(func(_ string, c *oidcclient.Config) { c.Logger = slog.New(starting) }); err != nil {
		return nil, err
	}
	if err := p.federate(config); err != nil {
		return nil, err
	}
	down, err := p.judge()
	starting.over.Store(true)
	for name, why := range down {
		if err == nil {
			log.Warn("provider not known at the start", "client", name, "error", why)
		}
	}
	return p, err
}

// starting keeps the log silent until the start is over: what stops that is said in one
// line, and by the program itself.
type starting struct {
	slog.Handler
	over atomic.Bool
}

// Enabled implements [slog.Handler].
func (s *starting) Enabled(ctx context.Context, level slog.Level) bool {
	return s.over.Load() && s.Handler.Enabled(ctx, level)
}

// federate finds the places where clients of federations say what they are: below their
// client_id, which has to be an address of this application.
func (p *places) federate(config *clientconfig.File) error {
	entities, err := config.Entities(p.clients)
	if err != nil {
		return err
	}
	p.entities = map[string]*federation.Entity{}
	for name, entity := range entities {
		path, ok := strings.CutPrefix(p.clients[name].ClientID(), strings.TrimSuffix(p.baseURL, "/"))
		if path = strings.TrimSuffix(path, "/"); !ok || path != "" && !entityPath.MatchString(path) {
			return &clientconfig.Error{Client: name, Member: "client_id", Reason: "is no address of this application below base_url"}
		}
		p.entities[path+"/.well-known/openid-federation"] = entity
	}
	return nil
}

// entityPath is what can stand in a route as it is.
var entityPath = regexp.MustCompile(`^(/[A-Za-z0-9_-]+)+$`)

// judgeTimeout is how long a start waits for the providers of FAPI clients.
const judgeTimeout = 5 * time.Second

// judge asks the providers of clients that keep to a FAPI profile whether they can: one
// that can't ends the program now instead of each login, and one that is down doesn't.
func (p *places) judge() (down map[string]error, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), judgeTimeout)
	defer cancel()
	var wait sync.WaitGroup
	var mu sync.Mutex // guards what is returned
	down = map[string]error{}
	for name, client := range p.clients {
		if client.FAPI() == oidcclient.FAPINone {
			continue
		}
		wait.Go(func() {
			failed := client.Ready(ctx)
			mu.Lock()
			defer mu.Unlock()
			var e *oidcclient.Error
			switch {
			case errors.As(failed, &e) && e.Check == "fapi":
				err = &clientconfig.Error{Client: name, Member: "fapi", Reason: e.Reason, Err: e}
			case failed != nil:
				down[name] = failed
			}
		})
	}
	wait.Wait()
	return down, err
}

// embedded starts a provider of each kind.
func embedded(baseURL string, log *slog.Logger) (*places, error) {
	p := &places{baseURL: baseURL, clients: map[string]*oidcclient.Client{}}
	for _, system := range oidctest.Systems() {
		if err := p.embed(system, log); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *places) embed(system oidctest.System, log *slog.Logger) error {
	id := system.String()
	op, err := oidctest.New(oidctest.Config{
		System: system, Interactive: true,
		RedirectURIs:           []string{p.baseURL + "/callback/" + id},
		PostLogoutRedirectURIs: []string{p.baseURL + "/"},
		BackChannelLogoutURI:   p.baseURL + "/backchannel-logout/" + id,
		FrontChannelLogoutURI:  p.baseURL + "/frontchannel-logout/" + id,
	})
	if err != nil {
		return err
	}
	p.embedded = append(p.embedded, op)
	config, err := relying.Config(op)
	if err != nil {
		return err
	}
	config.UserInfo = op.Client().UserInfoEndpoint != ""
	config.PostLogoutRedirectURI = p.baseURL + "/"
	config.Logger = log
	p.clients[id], err = oidcclient.New(config)
	return err
}

func (p *places) close() {
	for _, op := range p.embedded {
		_ = op.Close() // the process ends
	}
}
