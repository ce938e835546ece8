// Fositeop is an OpenID provider on loopback around github.com/ory/fosite, the
// engine of Ory Hydra, with its storage in memory: what comes to its authorization,
// token, pushed request, introspection and revocation endpoints is answered by
// fosite, the rest by a few lines here. The tests of the folder above start it. It
// prints one line, "ready ISSUER", when it serves, and ends when its standard input
// does.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

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
	keys, err := readKeys(keyFile)
	if err != nil {
		return err
	}
	p, err := newProvider("http://"+listener.Addr().String(), rp, keys)
	if err != nil {
		return err
	}
	fmt.Println("ready", p.issuer)
	server := &http.Server{Handler: p.routes(), ReadHeaderTimeout: 10 * time.Second}
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

// readKeys returns the public halves of the clients' keys.
func readKeys(file string) (*jose.JSONWebKeySet, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var private map[string]jose.JSONWebKey
	if err := json.Unmarshal(text, &private); err != nil {
		return nil, err
	}
	public := &jose.JSONWebKeySet{}
	for _, key := range private {
		public.Keys = append(public.Keys, key.Public())
	}
	return public, nil
}

// provider is fosite with what it leaves to the programs around it.
type provider struct {
	fosite.OAuth2Provider
	issuer string
	key    *jose.JSONWebKey
}

func newProvider(issuer, rp string, clientKeys *jose.JSONWebKeySet) (*provider, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	key := &jose.JSONWebKey{Key: private, KeyID: "fosite-1", Algorithm: "RS256", Use: "sig"}
	store, err := newStore(rp, clientKeys)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	config := &fosite.Config{
		GlobalSecret: secret, IDTokenIssuer: issuer, TokenURL: issuer + "/token",
		AccessTokenLifespan: 5 * time.Minute, EnforcePKCE: true, EnablePKCEPlainChallengeMethod: false,
		ScopeStrategy: fosite.ExactScopeStrategy, RefreshTokenScopes: []string{"offline_access"},
		SendDebugMessagesToClients: true,
	}
	return &provider{compose.ComposeAllEnabled(config, store, key), issuer, key}, nil
}

// session is what fosite makes tokens of for a person; "" where it fills in one that
// it has stored.
func (p *provider) session(person string) *openid.DefaultSession {
	now := time.Now()
	return &openid.DefaultSession{
		Subject: person, Username: person,
		Claims: &jwt.IDTokenClaims{
			Issuer: p.issuer, Subject: person, AuthTime: now, RequestedAt: now,
			Extra: map[string]any{"email": person + "@example.test"},
		},
		Headers: &jwt.Headers{Extra: map[string]any{"kid": p.key.KeyID}},
	}
}
