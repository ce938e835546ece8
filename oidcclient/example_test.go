package oidcclient_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// One login, from the button to the session, at a provider for tests.
func Example() {
	provider, err := oidctest.New(oidctest.Config{RedirectURIs: []string{"http://127.0.0.1:8080/callback"}})
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()
	registered := provider.Client()

	client, err := oidcclient.New(oidcclient.Config{
		Profile:      profiles.OpenID(),
		Issuer:       provider.Issuer(),
		ClientID:     registered.ClientID,
		ClientSecret: registered.ClientSecret,
		RedirectURI:  "http://127.0.0.1:8080/callback",
		Scopes:       []string{"openid", "profile"},
		UserInfo:     true,
	})
	if err != nil {
		log.Fatal(err) // it names the field that is wrong
	}
	ctx := context.Background()
	authorization, pending, err := client.Begin(ctx, oidcclient.BeginOptions{})
	if err != nil {
		log.Fatal(err)
	}
	// In an application pending is sealed into a cookie, the browser is sent off by
	// authorization.ServeHTTP, and the redirect URI gets what it brings back.
	values, err := relying.Browse(ctx, client.RedirectURI(), authorization)
	if err != nil {
		log.Fatal(err)
	}
	session, err := client.Complete(ctx, pending, values)
	if err != nil {
		log.Fatal(err)
	}
	var claims struct {
		Name string `json:"name"` // by exact names
	}
	if err := session.UserInfoClaims(&claims); err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Issuer() == provider.Issuer(), session.Subject() != "", claims.Name)
	// Output: true true Anna Example
}

// Requests are pushed, tokens are bound to a key of each login, and an API is called with
// them: with a proof for each call, the nonces that the API asks for, and one refresh
// ahead of a token's end.
func ExampleClient_Transport() {
	provider, err := oidctest.New(oidctest.Config{RedirectURIs: []string{"http://127.0.0.1:8080/callback"}})
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()
	registered := provider.Client()
	client, err := oidcclient.New(oidcclient.Config{
		Profile: profiles.OpenID(), Issuer: provider.Issuer(),
		ClientID: registered.ClientID, ClientSecret: registered.ClientSecret, RedirectURI: "http://127.0.0.1:8080/callback",
		Carriage: oidcclient.CarryPushed,
		DPoP:     true,
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	session, err := loggedIn(ctx, client)
	if err != nil {
		log.Fatal(err)
	}
	tokens := client.TokenSource(ctx, session, func(context.Context, *oidcclient.Session) error {
		return nil // store the new session here, before its tokens are used
	})
	api := &http.Client{Transport: client.Transport(tokens, provider.Issuer())}
	answer, err := api.Get(registered.UserInfoEndpoint) // an API that wants proofs
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status, session.Token().TokenType)
	// Output: 200 OK DPoP
}

func loggedIn(ctx context.Context, client *oidcclient.Client) (*oidcclient.Session, error) {
	authorization, pending, err := client.Begin(ctx, oidcclient.BeginOptions{})
	if err != nil {
		return nil, err
	}
	values, err := relying.Browse(ctx, client.RedirectURI(), authorization)
	if err != nil {
		return nil, err
	}
	return client.Complete(ctx, pending, values)
}
