// Command faces logs a person in at Umbrella Faces and prints what was proven,
// which is less than elsewhere: its identity token has no issuer, audience and
// expiry. The provider runs inside the program and approves by itself.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/rely-go/rely/examples/internal/show"
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
	"github.com/rely-go/rely/oidcclient/profiles"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	op, err := oidctest.New(oidctest.Config{System: oidctest.Faces, RedirectURIs: []string{show.RedirectURI}})
	if err != nil {
		return err
	}
	defer op.Close()
	given := op.Client() // the registration at Umbrella

	keys, err := idtoken.PinnedKeys(given.ProviderJWKS) // none is published: ask for it
	if err != nil {
		return err
	}
	client, err := oidcclient.New(oidcclient.Config{
		Profile:      profiles.Faces(),
		Issuer:       given.Issuer, // our name of the provider: its tokens have none
		ClientID:     given.ClientID,
		ClientSecret: given.ClientSecret,
		RedirectURI:  show.RedirectURI,
		Keys:         keys,
		Provider: &oidcclient.ProviderMetadata{
			AuthorizationEndpoint: given.AuthorizationEndpoint,
			TokenEndpoint:         given.TokenEndpoint,
		},
	})
	if err != nil {
		return err
	}

	auth, pending, err := client.Begin(ctx, oidcclient.BeginOptions{})
	if err != nil {
		return err
	}
	answer, err := relying.Browse(ctx, show.RedirectURI, auth) // a browser does this
	if err != nil {
		return err
	}
	session, err := client.Complete(ctx, pending, answer)
	if err != nil {
		return err
	}
	if err := show.Session(w, session); err != nil {
		return err
	}
	fmt.Fprintln(w, "legacy identity, signed by the pinned key:", session.Legacy().SignatureVerified())
	fresh, err := client.Refresh(ctx, session)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "refreshed, same person:", fresh.Subject() == session.Subject())
	return nil
}
