// Command blockid logs a person in at a BlockID community without a browser, with
// a proof of authentication, and refreshes the tokens. The provider runs inside
// the program.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/rely-go/rely/examples/internal/show"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/profiles"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	op, err := oidctest.New(oidctest.Config{System: oidctest.BlockID, RedirectURIs: []string{show.RedirectURI}})
	if err != nil {
		return err
	}
	defer op.Close()
	given := op.Client() // the registration in the community

	client, err := oidcclient.New(oidcclient.Config{
		Profile:      profiles.BlockID(),
		Tenant:       &oidcclient.Tenant{DNS: given.DNS, Community: given.Community}, // leads to issuer and endpoints
		ClientID:     given.ClientID,
		ClientSecret: given.ClientSecret,
		RedirectURI:  show.RedirectURI,
		Scopes:       []string{"openid", "email", "profile", "offline_access"},
	})
	if err != nil {
		return err
	}

	// What the application has after the person authenticated with BlockID's
	// own services.
	proof, err := op.ProofOfAuthentication(op.Persons()[0].Username)
	if err != nil {
		return err
	}
	session, err := client.LoginWithProof(ctx, proof, oidcclient.BeginOptions{})
	if err != nil {
		return err
	}
	if err := show.Session(w, session); err != nil {
		return err
	}
	fresh, err := client.Refresh(ctx, session)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "refreshed, same person:", fresh.Subject() == session.Subject(),
		"and a new token:", fresh.Token().AccessToken != session.Token().AccessToken)
	return nil
}
