// Zitadelop is an OpenID provider on loopback around github.com/zitadel/oidc and
// the example storage of that module, with clients of its own. The tests of the
// folder above start it. It prints one line, "ready ISSUER", when it serves, and
// ends when its standard input does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// client adds to the example's client what its constructors don't set.
type client struct {
	*storage.Client
	method    oidc.AuthMethod
	loggedOut string
}

func (c client) AuthMethod() oidc.AuthMethod      { return c.method }
func (c client) PostLogoutRedirectURIs() []string { return []string{c.loggedOut} }

// store is the example's storage with these clients and their keys.
type store struct {
	*storage.Storage
	clients map[string]client
	keys    map[string]jose.JSONWebKey
}

func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if c, ok := s.clients[id]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("no client %q", id)
}

func (s *store) GetKeyByIDAndClientID(_ context.Context, kid, id string) (*jose.JSONWebKey, error) {
	key, ok := s.keys[kid]
	if !ok || s.clients[id].method != oidc.AuthMethodPrivateKeyJWT {
		return nil, fmt.Errorf("no key %q for %q", kid, id)
	}
	return &key, nil
}

func main() {
	rp := flag.String("rp", "", "origin of the relying party")
	keyFile := flag.String("keys", "", "file of the clients' JWKs")
	flag.Parse()
	if err := run(*rp, *keyFile); err != nil {
		log.Fatal(err)
	}
}

func run(rp, keyFile string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String()
	keys, err := readKeys(keyFile)
	if err != nil {
		return err
	}
	web := func(id string, method oidc.AuthMethod) client {
		c := storage.WebClient(id, "secret", rp+"/callback")
		storage.RegisterClients(c)
		return client{c, method, rp + "/logged-out"}
	}
	s := &store{Storage: storage.NewStorage(storage.NewUserStore(issuer)), keys: keys, clients: map[string]client{
		"basic":  web("basic", oidc.AuthMethodBasic),
		"post":   web("post", oidc.AuthMethodPost),
		"keyjwt": web("keyjwt", oidc.AuthMethodPrivateKeyJWT),
	}}
	handler := exampleop.SetupServer(issuer, s, slog.New(slog.NewTextHandler(os.Stderr, nil)), false)
	fmt.Println("ready", issuer)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		// Whoever started this program may end without a signal; the pipe ends too.
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// readKeys returns the public halves of the clients' keys by their kid.
func readKeys(file string) (map[string]jose.JSONWebKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var private map[string]jose.JSONWebKey
	if err := json.Unmarshal(text, &private); err != nil {
		return nil, err
	}
	public := make(map[string]jose.JSONWebKey, len(private))
	for _, key := range private {
		public[key.KeyID] = key.Public()
	}
	return public, nil
}
