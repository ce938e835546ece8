package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// providerTakes is how long the provider thinks about a token request, as one
	// at the other end of a network would.
	providerTakes   = 20 * time.Millisecond
	providerTimeout = 10 * time.Second
	maxTokenRequest = 64 << 10 // bytes
)

// A gate is the token endpoint as one replica knows it, so that who asks is known.
// It passes a request on to the provider even if the replica is gone, as a network
// would.
type gate struct {
	url      string
	server   *http.Server
	serving  sync.WaitGroup
	provider *http.Client
	target   string // the provider's token endpoint
	ledger   *ledger
}

// lifeKey is the context key of a connection for the process that opened it.
type lifeKey struct{}

func newGate(target string, l *ledger, r *replica) (*gate, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{
		url:    "http://" + listener.Addr().String() + "/token",
		target: target, ledger: l,
		provider: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: providerTimeout},
	}
	g.server = &http.Server{
		Handler: g, ReadHeaderTimeout: providerTimeout,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, lifeKey{}, r.process())
		},
	}
	g.serving.Go(func() { _ = g.server.Serve(listener) }) // ends with http.ErrServerClosed
	return g, nil
}

func (g *gate) close() error {
	err := g.server.Close()
	g.serving.Wait()
	g.provider.CloseIdleConnections()
	return err
}

// ServeHTTP passes a token request on, and notes it.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTokenRequest))
	if err != nil {
		return // the replica is gone
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	by, _ := r.Context().Value(lifeKey{}).(process)
	refresh, ticket := form.Get("refresh_token"), 0
	if refresh != "" {
		ticket = g.ledger.used(refresh, by, time.Now())
	}
	time.Sleep(providerTakes)
	status, kind, answer, err := g.ask(context.WithoutCancel(r.Context()), r.Header, body)
	if err != nil {
		http.Error(w, "provider did not answer", http.StatusBadGateway)
		return
	}
	tokens := readTokens(answer)
	switch {
	case refresh != "":
		g.ledger.answered(refresh, ticket, tokens.refresh, time.Now())
	case tokens.refresh != "":
		g.ledger.began(tokens.subject, tokens.sid, tokens.refresh)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the replica may be gone
}

// ask sends the request to the provider.
func (g *gate) ask(ctx context.Context, header http.Header, body []byte) (status int, kind string, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.target, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	for _, name := range []string{"Authorization", "Content-Type", "Accept"} {
		if value := header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := g.provider.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, response.Header.Get("Content-Type"), answer, errors.Join(err, response.Body.Close())
}

// tokens is what a token answer says of the login.
type tokens struct{ refresh, subject, sid string }

// readTokens reads a token answer. The provider is this program's own, so nothing
// is verified.
func readTokens(answer []byte) tokens {
	var members struct {
		Refresh string `json:"refresh_token"`
		ID      string `json:"id_token"`
	}
	var claims struct{ Sub, SID string }
	if json.Unmarshal(answer, &members) != nil {
		return tokens{}
	}
	if parts := strings.Split(members.ID, "."); len(parts) == 3 {
		if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil && json.Unmarshal(text, &claims) != nil {
			return tokens{}
		}
	}
	return tokens{members.Refresh, claims.Sub, claims.SID}
}
