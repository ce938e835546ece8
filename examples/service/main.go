// Command service gets an access token for itself, without a person: iSHARE's
// machine to machine, client_credentials with a signed client assertion. The
// provider runs inside the program.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"time"

	"github.com/rely-go/rely/assertion"
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
		Issuer:       given.Issuer,
		ClientID:     given.ClientID,
		Key:          &assertion.Key{Signer: given.PrivateKey, Certificates: given.Certificates},
		TrustAnchors: anchors,
		Provider:     &oidcclient.ProviderMetadata{TokenEndpoint: given.TokenEndpoint},
	})
	if err != nil {
		return err
	}
	token, err := client.Token(ctx, url.Values{"grant_type": {"client_credentials"}, "scope": {"iSHARE"}})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "party:  ", client.ClientID())
	fmt.Fprintln(w, "type:   ", token.TokenType)
	fmt.Fprintln(w, "good for", time.Until(token.Expiry).Round(time.Minute))
	return nil
}
