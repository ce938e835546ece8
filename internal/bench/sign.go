package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"

	"github.com/rely-go/rely/assertion"
)

// signCases are client assertions with the certificate chain in the header, as
// iSHARE demands.
func signCases() ([]Case, error) {
	var cases []Case
	for _, k := range newKeys()[:3] {
		c := Case{Name: "Sign/" + k.alg, Limit: "limit", Bound: 1.05}
		if k.alg == "ES256" {
			c.Bound = 1.6
		}
		digest := digestOf("x")
		options := crypto.SignerOpts(crypto.SHA256)
		if k.alg == "PS256" {
			options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		}
		c.Columns = []Column{{"limit", func() error { _, err := k.signer.Sign(rand.Reader, digest, options); return err }}}
		for _, library := range []struct {
			name  string
			ready func(key) (func() error, error)
		}{{"rely", signRely}, {"golang-jwt", signGolangJWT}, {"go-jose", signGoJose}} {
			run, err := library.ready(k)
			if err != nil {
				return nil, err
			}
			c.Columns = append(c.Columns, Column{library.name, run})
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func signRely(k key) (func() error, error) {
	signed := newChain()
	certs := signed.certs
	certs[0] = certificate(0, k.signer.Public(), certs[1], signed.cas[0])
	s, err := assertion.New(assertion.Config{ClientID: partyID, Key: assertion.Key{Signer: k.signer, Algorithm: k.alg, Certificates: certs, Naming: assertion.NameX5C}})
	return func() error { _, err := s.ClientAssertion(context.Background(), issuer); return err }, err
}

// assertionClaims are those of a client assertion.
func assertionClaims() map[string]any {
	now := time.Now()
	return map[string]any{"iss": partyID, "sub": partyID, "aud": issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(30 * time.Second).Unix()}
}

func signGolangJWT(k key) (func() error, error) {
	entries := x5c(newChain().certs)
	return func() error {
		token := jwt.NewWithClaims(jwt.GetSigningMethod(k.alg), jwt.MapClaims(assertionClaims()))
		token.Header["x5c"] = entries
		_, err := token.SignedString(k.signer)
		return err
	}, nil
}

func signGoJose(k key) (func() error, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("x5c", x5c(newChain().certs))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.alg), Key: k.signer}, options)
	return func() error {
		_, err := josejwt.Signed(signer).Claims(assertionClaims()).Serialize()
		return err
	}, err
}
