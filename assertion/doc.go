// Package assertion makes what a client signs about itself: client assertions
// (RFC 7523) for private_key_jwt and client_secret_jwt, and request objects
// (RFC 9101), signed or signed and then encrypted.
//
// Keys are any crypto.Signer, so a key in a KMS or an HSM works; a signer that
// takes a context gets the caller's ([ContextSigner]). [New] checks everything
// that can be checked without the network, above all that a certificate chain
// belongs to the key and to the client; afterwards each assertion costs little
// more than its signature, because the header was encoded once.
//
//	signer, err := assertion.New(assertion.Config{
//		ClientID: "client",
//		Key:      assertion.Key{Signer: key, Algorithm: "ES256", ID: "2026"},
//	})
//	…
//	text, err := signer.ClientAssertion(ctx, "https://op.example")
package assertion
