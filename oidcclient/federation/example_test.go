package federation_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/federation"
)

// A relying party that trusts one federation: it believes providers whom the anchor
// knows, and says what it is where others of the federation look.
func Example() {
	signing, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // for requests; from a file, usually
	if err != nil {
		log.Fatal(err)
	}
	statements, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // for statements, and nothing else
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := federation.NewResolver(federation.ResolverConfig{TrustAnchors: []federation.TrustAnchor{{
		ID:   "https://anchor.example",
		JWKS: []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`),
	}}})
	if err != nil {
		log.Fatal(err)
	}
	client, err := oidcclient.New(oidcclient.Config{
		Profile:        federation.Profile(),
		Issuer:         "https://op.example",
		ProviderSource: resolver,
		ClientID:       "https://rp.example",
		RedirectURI:    "https://rp.example/callback",
		Key:            &assertion.Key{Signer: signing, ID: "requests-1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	entity, err := federation.NewEntity(federation.EntityConfig{
		ID:             "https://rp.example",
		Keys:           []assertion.Key{{Signer: statements}},
		AuthorityHints: []string{"https://anchor.example"},
		Metadata:       map[string]any{"openid_relying_party": federation.RelyingParty(client)},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /.well-known/openid-federation", entity)
	fmt.Println(entity, client.ClientID())
	// Output: federation.Entity{https://rp.example} https://rp.example
}
