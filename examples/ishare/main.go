// Command ishare logs a person in at an iSHARE identity provider and prints what
// was proven. The provider runs inside the program and approves by itself.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/rely-go/rely/assertion"
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
	op, err := oidctest.New(oidctest.Config{System: oidctest.IShare})
	if err != nil {
		return err
	}
	defer op.Close()
	given := op.Client() // what a data space gives its members

	anchors, err := assertion.ParseCertificatesPEM(given.TrustAnchorsPEM)
	if err != nil {
		return err
	}
	client, err := oidcclient.New(oidcclient.Config{
		Profile:      profiles.IShare(),
		Issuer:       given.Issuer,   // a party id, as is the client's
		ClientID:     given.ClientID, // and the certificate has to name it
		RedirectURI:  show.RedirectURI,
		Key:          &assertion.Key{Signer: given.PrivateKey, Certificates: given.Certificates},
		TrustAnchors: anchors,
		Provider: &oidcclient.ProviderMetadata{
			AuthorizationEndpoint: given.AuthorizationEndpoint,
			TokenEndpoint:         given.TokenEndpoint,
			UserInfoEndpoint:      given.UserInfoEndpoint,
		},
		MinACR:   "urn:http://eidas.europa.eu/LoA/NotNotified/substantial",
		UserInfo: true, // iSHARE's ID token says little: names are in userinfo
	})
	if err != nil {
		return err
	}

	auth, pending, err := client.Begin(ctx, oidcclient.BeginOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "request:", auth.Method, "with a signed request object")
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
	for _, deviation := range client.Deviations() {
		fmt.Fprintln(w, "laxer:  ", deviation.Reason)
	}
	return nil
}
