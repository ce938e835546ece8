package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rely-go/rely/internal/engines"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// A scene is everything that runs: the provider, the engine of the store, the
// replicas and the round robin before them.
type scene struct {
	options  *options
	dir      string
	base     string // where browsers find the application
	provider *oidctest.Provider
	engine   *engines.Engine // nil without a store
	link     *engines.Link   // between the replicas and the engine
	gates    []*gate
	replicas []*replica
	balance  *roundRobin
	front    *http.Server
	serving  sync.WaitGroup
	browsers *http.Transport
	ledger   *ledger
	mishaps  mishaps
}

// open starts everything. What it has started is ended again if something fails.
func open(ctx context.Context, o *options) (*scene, error) {
	s := &scene{options: o, ledger: newLedger(), browsers: &http.Transport{MaxIdleConnsPerHost: 64}}
	for _, step := range []func(context.Context) error{s.openStore, s.openFront, s.openProvider, s.openReplicas} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func (s *scene) openStore(context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "replicas"); err != nil {
		return err
	}
	switch s.options.store {
	case "redis":
		s.engine, err = engines.StartRedis(s.dir)
	case "postgres":
		s.engine, err = engines.StartPostgres(s.dir)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	s.link, err = engines.NewLink(s.engine.URL)
	return err
}

// openFront starts the round robin: its address is the application's.
func (s *scene) openFront(context.Context) error {
	var addrs []string
	for number := range s.options.replicas {
		addr, err := freeAddr()
		if err != nil {
			return err
		}
		addrs = append(addrs, addr)
		s.replicas = append(s.replicas, &replica{number: number, addr: addr, binary: s.options.webapp, ledger: s.ledger})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.base = "http://" + listener.Addr().String()
	s.balance = newRoundRobin(addrs)
	s.front = &http.Server{Handler: s.balance, ReadHeaderTimeout: answerTimeout}
	s.serving.Go(func() { _ = s.front.Serve(listener) }) // ends with http.ErrServerClosed
	return nil
}

func (s *scene) openProvider(context.Context) (err error) {
	var persons []oidctest.Person
	for i := range s.options.sessions {
		persons = append(persons, oidctest.Person{Subject: fmt.Sprintf("person-%04d", i), Username: fmt.Sprintf("p%04d", i)})
	}
	s.provider, err = oidctest.New(oidctest.Config{
		Persons: persons, Interactive: true, SigningAlg: "ES256",
		RedirectURIs: []string{s.base + "/callback/op"}, PostLogoutRedirectURIs: []string{s.base + "/"},
		BackChannelLogoutURI: s.base + "/backchannel-logout/op",
	})
	return err
}

// openReplicas starts the application, as often as asked.
func (s *scene) openReplicas(ctx context.Context) error {
	keys, err := s.writeKeys()
	if err != nil {
		return err
	}
	for _, r := range s.replicas {
		if r.output, err = s.log(r.number); err != nil {
			return err
		}
		g, err := newGate(s.provider.Client().TokenEndpoint, s.ledger, r)
		if err != nil {
			return err
		}
		s.gates = append(s.gates, g)
		config, err := s.writeConfig(r.number, g.url)
		if err != nil {
			return err
		}
		r.args = []string{"-config", config, "-addr", r.addr}
		if s.link != nil {
			r.args = append(r.args, "-store", s.link.URL, "-keys", keys)
		}
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// writeKeys writes the file of sealing keys: the first seals, all open.
func (s *scene) writeKeys() (path string, err error) {
	var text []byte
	for range 2 {
		var key [32]byte
		rand.Read(key[:]) // never fails: crypto/rand ends the program instead
		text = append(base64.StdEncoding.AppendEncode(text, key[:]), '\n')
	}
	path = filepath.Join(s.dir, "keys")
	return path, os.WriteFile(path, text, 0o600)
}

// writeConfig writes the configuration file of a replica. Only the token endpoint
// differs: it is the replica's gate.
func (s *scene) writeConfig(number int, tokenEndpoint string) (path string, err error) {
	registered := s.provider.Client()
	text, err := json.Marshal(map[string]any{"base_url": s.base, "clients": map[string]any{"op": map[string]any{
		"profile": "oidc", "issuer": registered.Issuer, "scope": registered.Scope,
		"client_id": registered.ClientID, "client_secret": registered.ClientSecret,
		"redirect_uris": registered.RedirectURIs, "post_logout_redirect_uris": []string{s.base + "/"},
		"backchannel_logout_uri": s.base + "/backchannel-logout/op", "id_token_signed_response_alg": registered.SigningAlg,
		"provider_metadata": map[string]any{"token_endpoint": tokenEndpoint},
	}}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(s.dir, fmt.Sprintf("replica-%d.json", number))
	return path, os.WriteFile(path, text, 0o600)
}

// log opens the log of a replica.
func (s *scene) log(number int) (io.WriteCloser, error) {
	if s.options.logs == "" {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	return os.Create(filepath.Join(s.options.logs, fmt.Sprintf("replica-%d.log", number)))
}

// close ends everything that open has started, in the order in which nobody
// waits for what is gone.
func (s *scene) close() error {
	var errs []error
	s.browsers.CloseIdleConnections()
	if s.front != nil {
		errs = append(errs, s.front.Close())
		s.serving.Wait()
	}
	for _, r := range s.replicas {
		errs = append(errs, r.close())
	}
	for _, g := range s.gates {
		errs = append(errs, g.close())
	}
	if s.provider != nil {
		errs = append(errs, s.provider.Close())
	}
	if s.link != nil {
		errs = append(errs, s.link.Close())
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Stop())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// sleep waits, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
