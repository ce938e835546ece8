package bench

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/cap/oidc"
	"github.com/lestrrat-go/jwx/v2/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v2/jwt"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/rely-go/rely/idtoken"
)

// Verify decides about an ID token of the login that the cases are about.
type Verify = func(ctx context.Context, raw string) error

// A Peer is a library, used as its documentation says, with the comparisons that
// it leaves to a careful caller.
type Peer struct {
	Name string
	// Verifier uses keys that were published, or, where the library fetches none,
	// that were read before.
	Verifier func(alg string, jwks []byte) (Verify, error)
	// Over is Verifier over the network; nil for a library that fetches no keys.
	Over func(alg string, network http.RoundTripper) (Verify, error)
}

// Peers are all libraries, ours first.
func Peers() []Peer {
	fetching := func(name string, over func(string, http.RoundTripper) (Verify, error)) Peer {
		return Peer{name, func(alg string, jwks []byte) (Verify, error) { return over(alg, NewIssuer(jwks)) }, over}
	}
	return []Peer{
		fetching("rely", rely), fetching("go-oidc", goOIDC), fetching("zitadel", zitadelOIDC), fetching("cap", capOIDC),
		{"golang-jwt", golangJWT, nil}, {"go-jose", goJose, nil}, {"jwx", jwx, nil},
	}
}

// An Issuer answers each request with its keys, without a network.
type Issuer struct {
	keys atomic.Pointer[[]byte]
	// Fetches counts the requests.
	Fetches atomic.Int64
	// Delay is how long an answer takes.
	Delay time.Duration
}

// NewIssuer publishes a JWK Set.
func NewIssuer(jwks []byte) *Issuer {
	i := &Issuer{}
	i.Publish(jwks)
	return i
}

// Publish replaces the JWK Set.
func (i *Issuer) Publish(jwks []byte) { i.keys.Store(&jwks) }

// RoundTrip implements [http.RoundTripper].
func (i *Issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.Fetches.Add(1)
	body := *i.keys.Load()
	select {
	case <-time.After(i.Delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}

func rely(alg string, network http.RoundTripper) (Verify, error) {
	return relyWith(alg, idtoken.RemoteKeysConfig{URL: keysURL, HTTPClient: &http.Client{Transport: network}})
}

func relyWith(alg string, config idtoken.RemoteKeysConfig) (Verify, error) {
	keys, err := idtoken.NewRemoteKeys(config)
	if err != nil {
		return nil, err
	}
	return relyKeys(alg, keys)
}

func relyKeys(alg string, keys idtoken.KeySource) (Verify, error) {
	v, err := idtoken.NewVerifier(idtoken.Config{Issuer: issuer, ClientID: clientID, Algorithms: []string{alg}, Keys: keys})
	return func(ctx context.Context, raw string) error {
		_, err := v.Verify(ctx, raw, idtoken.Expect{Nonce: nonce, AccessToken: accessToken})
		return err
	}, err
}

func goOIDC(alg string, network http.RoundTripper) (Verify, error) {
	ctx := gooidc.ClientContext(context.Background(), &http.Client{Transport: network})
	v := gooidc.NewVerifier(issuer, gooidc.NewRemoteKeySet(ctx, keysURL), &gooidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{alg}})
	return func(ctx context.Context, raw string) error {
		token, err := v.Verify(ctx, raw)
		if err != nil {
			return err
		}
		if token.Nonce != nonce {
			return errRefused
		}
		if alg == "EdDSA" {
			return nil // it knows no hash for it
		}
		return token.VerifyAccessToken(accessToken)
	}, nil
}

func zitadelOIDC(alg string, network http.RoundTripper) (Verify, error) {
	keys := rp.NewRemoteKeySet(&http.Client{Transport: network}, keysURL)
	v := rp.NewIDTokenVerifier(issuer, clientID, keys, rp.WithSupportedSigningAlgorithms(alg), rp.WithNonce(func(context.Context) string { return nonce }))
	return func(ctx context.Context, raw string) error {
		if alg == "EdDSA" {
			_, err := rp.VerifyIDToken[*zitadel.IDTokenClaims](ctx, raw, v) // it knows no hash for it
			return err
		}
		_, err := rp.VerifyTokens[*zitadel.IDTokenClaims](ctx, accessToken, raw, v)
		return err
	}, nil
}

// login is what cap knows of the login.
type login struct{ oidc.Request }

func (login) Nonce() string { return nonce }

func capOIDC(alg string, network http.RoundTripper) (Verify, error) {
	const callback = "https://client.example/callback"
	config, err := oidc.NewConfig(issuer, clientID, "secret", []oidc.Alg{oidc.Alg(alg)}, []string{callback}, oidc.WithRoundTripper(network),
		oidc.WithProviderConfig(&oidc.ProviderConfig{AuthURL: issuer + "/a", TokenURL: issuer + "/t", UserInfoURL: issuer + "/u", JWKSURL: keysURL}))
	if err != nil {
		return nil, err
	}
	provider, err := oidc.NewProvider(config)
	if err != nil {
		return nil, err
	}
	request, err := oidc.NewRequest(time.Hour, callback)
	return func(ctx context.Context, raw string) error {
		if _, err := provider.VerifyIDToken(ctx, oidc.IDToken(raw), login{request}); err != nil {
			return err
		}
		_, err := oidc.IDToken(raw).VerifyAccessToken(accessToken)
		return err
	}, err
}

func golangJWT(alg string, jwks []byte) (Verify, error) {
	public, err := publicKey(jwks)
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{alg}), jwt.WithIssuer(issuer), jwt.WithAudience(clientID), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	return func(_ context.Context, raw string) error {
		var c struct {
			jwt.RegisteredClaims
			Nonce  string `json:"nonce"`
			AtHash string `json:"at_hash"`
		}
		if _, err := parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return public, nil }); err != nil {
			return err
		}
		return holds(c.Nonce == nonce && c.AtHash == atHashOf(alg))
	}, nil
}

func goJose(alg string, jwks []byte) (Verify, error) {
	public, err := publicKey(jwks)
	return func(_ context.Context, raw string) error {
		token, err := josejwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			return err
		}
		var c josejwt.Claims
		var more struct {
			Nonce  string `json:"nonce"`
			AtHash string `json:"at_hash"`
		}
		if err := token.Claims(public, &c, &more); err != nil {
			return err
		}
		if err := c.Validate(josejwt.Expected{Issuer: issuer, AnyAudience: josejwt.Audience{clientID}, Time: time.Now()}); err != nil {
			return err
		}
		return holds(more.Nonce == nonce && more.AtHash == atHashOf(alg))
	}, err
}

func jwx(alg string, jwks []byte) (Verify, error) {
	set, err := jwk.Parse(jwks)
	return func(_ context.Context, raw string) error {
		token, err := jwxjwt.ParseString(raw, jwxjwt.WithKeySet(set), jwxjwt.WithIssuer(issuer), jwxjwt.WithAudience(clientID), jwxjwt.WithClaimValue("nonce", nonce), jwxjwt.WithRequiredClaim("exp"))
		if err != nil {
			return err
		}
		got, _ := token.Get("at_hash")
		return holds(got == atHashOf(alg))
	}, err
}

// atHashOf is what a caller compares at_hash with.
func atHashOf(alg string) string { return key{alg: alg}.atHash() }

func publicKey(jwks []byte) (any, error) {
	set, err := jwk.Parse(jwks)
	if err != nil {
		return nil, err
	}
	one, _ := set.Key(0)
	var public any
	err = one.Raw(&public)
	return public, err
}
