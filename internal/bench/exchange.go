package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// exchangeCases are a token request on loopback and what follows from its answer:
// over TLS, as it is everywhere else, and without.
func exchangeCases() (cases []Case, end func(), err error) {
	secure, endSecure, err := exchangeCase("Exchange/https", httptest.NewTLSServer)
	if err != nil {
		return nil, endSecure, err
	}
	secure.Bound = 2.0
	plain, endPlain, err := exchangeCase("Exchange/http", httptest.NewServer)
	return []Case{secure, plain}, func() { endSecure(); endPlain() }, err
}

func exchangeCase(name string, serve func(http.Handler) *httptest.Server) (Case, func(), error) {
	k := newKeys()[0]
	var answer []byte
	mux := http.NewServeMux()
	server := serve(mux)
	client := server.Client()
	send := func(body func() []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body())
		}
	}
	mux.HandleFunc("/keys", send(k.jwks))
	mux.HandleFunc("/token", send(func() []byte { return answer }))

	form := url.Values{"grant_type": {"authorization_code"}, "code": {"code-1"}, "redirect_uri": {"https://client.example/callback"}}
	post := func() ([]byte, error) {
		request, err := http.NewRequest(http.MethodPost, server.URL+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(clientID, "secret")
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		return io.ReadAll(response.Body)
	}
	ours, sent, err := exchangeRely(server.URL, client)
	if err != nil {
		return Case{}, server.Close, err
	}
	raw := k.sign(must(json.Marshal(map[string]string{"alg": "RS256", "kid": keyID})), claims(map[string]any{"at_hash": k.atHash(), "nonce": sent}))
	answer = must(json.Marshal(map[string]any{"access_token": accessToken, "token_type": "Bearer", "expires_in": 3600, "id_token": raw}))
	return Case{Name: name, Limit: "limit", Ahead: true, Columns: []Column{
		{"limit", func() error { _, err := post(); return err }},
		{"limit+verify", func() error {
			body, err := post()
			if err != nil {
				return err
			}
			var tokens struct {
				IDToken string `json:"id_token"`
			}
			if err := json.Unmarshal(body, &tokens); err != nil {
				return err
			}
			return k.byHand(tokens.IDToken, sent)
		}},
		{"rely", ours},
		{"x/oauth2+go-oidc", exchangeGoOIDC(server.URL, client, sent)},
	}}, server.Close, nil
}

// Client makes an oidcclient.Client and begins a login with it, as Verify, so that
// what it keeps can be counted. The token is not looked at.
func Client() (Verify, error) {
	c, err := newClient("https://op.example", nil)
	return func(ctx context.Context, _ string) error {
		_, _, err := c.Begin(ctx, oidcclient.BeginOptions{})
		return err
	}, err
}

func newClient(at string, client *http.Client) (*oidcclient.Client, error) {
	return oidcclient.New(oidcclient.Config{
		Profile: profiles.OpenID(), Issuer: issuer, ClientID: clientID, ClientSecret: "secret", AuthMethod: "client_secret_basic", RedirectURI: "https://client.example/callback",
		HTTPClient: client, Provider: &oidcclient.ProviderMetadata{AuthorizationEndpoint: at + "/authorize", TokenEndpoint: at + "/token", JWKSURI: at + "/keys"},
	})
}

// exchangeRely begins a login and returns what completes it, with the nonce.
func exchangeRely(at string, client *http.Client) (complete func() error, nonce string, err error) {
	c, err := newClient(at, client)
	if err != nil {
		return nil, "", err
	}
	authorization, pending, err := c.Begin(context.Background(), oidcclient.BeginOptions{})
	if err != nil {
		return nil, "", err
	}
	u, err := url.Parse(authorization.URL)
	if err != nil {
		return nil, "", err
	}
	callback := url.Values{"code": {"code-1"}, "state": {u.Query().Get("state")}, "iss": {issuer}}
	return func() error {
		_, err := c.Complete(context.Background(), pending, callback)
		return err
	}, u.Query().Get("nonce"), nil
}

func exchangeGoOIDC(at string, client *http.Client, nonce string) func() error {
	ctx := gooidc.ClientContext(context.Background(), client)
	config := &oauth2.Config{
		ClientID: clientID, ClientSecret: "secret", RedirectURL: "https://client.example/callback",
		Endpoint: oauth2.Endpoint{TokenURL: at + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	v := gooidc.NewVerifier(issuer, gooidc.NewRemoteKeySet(ctx, at+"/keys"), &gooidc.Config{ClientID: clientID})
	verifier := oauth2.GenerateVerifier()
	return func() error {
		token, err := config.Exchange(ctx, "code-1", oauth2.VerifierOption(verifier))
		if err != nil {
			return err
		}
		raw, _ := token.Extra("id_token").(string)
		idToken, err := v.Verify(ctx, raw)
		if err != nil {
			return err
		}
		if idToken.Nonce != nonce {
			return errRefused
		}
		return idToken.VerifyAccessToken(token.AccessToken)
	}
}
