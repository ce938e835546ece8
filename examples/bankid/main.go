// Command bankid logs a person in at BankID Norway's OpenID provider and prints
// what was proven. The provider runs inside the program and approves by itself.
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
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
	"github.com/rely-go/rely/oidcclient/profiles"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	op, err := oidctest.New(oidctest.Config{System: oidctest.BankID, RedirectURIs: []string{show.RedirectURI}})
	if err != nil {
		return err
	}
	defer op.Close()
	given := op.Client() // the registration at BankID

	client, err := oidcclient.New(oidcclient.Config{
		Profile:      profiles.BankID(),
		Issuer:       given.Issuer,
		ClientID:     given.ClientID,
		ClientSecret: given.ClientSecret,
		RedirectURI:  show.RedirectURI,
		MinACR:       "urn:bankid:bid", // comes back with its level: urn:bankid:bid;LOA=4
		UserInfo:     true,             // a signed JWT from another host
	})
	if err != nil {
		return err
	}

	auth, pending, err := client.Begin(ctx, oidcclient.BeginOptions{UILocales: []string{"nb"}})
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
	// BankID recommends another identifier than sub. It is personal data, and
	// whether to store it is this program's decision.
	if _, ok := session.AlternativeSubject(); ok {
		fmt.Fprintln(w, "offered: bankid_altsub")
	}
	return nil
}
