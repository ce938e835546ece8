// Package idtoken decides whether a JWT that a provider issued is believed: ID
// tokens (OpenID Connect Core §3.1.3.7), logout tokens (Back-Channel Logout
// §2.6) and signed userinfo (Core §5.3.2).
//
//	verifier, err := idtoken.NewVerifier(idtoken.Config{
//		Issuer:   "https://op.example",
//		ClientID: "client",
//		Keys:     keys, // NewRemoteKeys, PinnedKeys, NewCertificateChain, or any go-oidc KeySet
//	})
//	…
//	token, err := verifier.Verify(ctx, raw, idtoken.Expect{Nonce: nonce, AccessToken: accessToken})
//
// A verification is a sequence of named checks ([Checks]); the first that fails
// ends it, and the [Error] says which one. Claims are not read before the
// signature holds. An [IDToken] comes only out of Verify, so having one means
// that every check was made; [IDToken.Checks] lists them.
//
// Keys never come from a token's header: not from jwk, jku or x5u, and from x5c
// only where a [CertificateChain] with configured trust anchors is the key
// source.
package idtoken
