package assertion_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rely-go/rely/assertion"
)

func ExampleSigner_ClientAssertion() {
	signer, err := assertion.New(assertion.Config{
		ClientID: "client",
		Key:      assertion.Key{Secret: []byte("a secret of at least thirty-two bytes"), Algorithm: "HS256"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := signer.ClientAssertion(context.Background(), "https://op.example")
	fmt.Println(strings.Count(text, "."), err)
	// Output: 2 <nil>
}

func ExampleSigner_RequestObject() {
	key, err := assertion.ParseKeyJWK([]byte(`{"kty":"OKP","crv":"Ed25519","kid":"2026","alg":"EdDSA",
		"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
		"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`)) // of RFC 8037, known to all
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := assertion.New(assertion.Config{
		ClientID: "client", Key: key,
		Lifetime: 30 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := signer.RequestObject(context.Background(), assertion.RequestObject{
		Audience: "https://op.example",
		Params: url.Values{
			"response_type": {"code"},
			"scope":         {"openid"},
			"max_age":       {"300"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	header, _, _ := strings.Cut(text, ".")
	plain, err := base64.RawURLEncoding.DecodeString(header)
	fmt.Println(string(plain), err)
	// Output: {"alg":"EdDSA","typ":"oauth-authz-req+jwt","kid":"2026"} <nil>
}
