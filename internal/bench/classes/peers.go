package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	cap "github.com/hashicorp/cap/oidc"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/corpus"
)

// peer is a library that decides about an ID token, used as its documentation
// says, with the comparisons that it leaves to a careful caller.
type peer struct {
	name    string
	believe func(ctx context.Context, s corpus.Setup, raw string) error
}

func peers() []peer {
	return []peer{{"rely", believeRely}, {"go-oidc", believeGoOIDC}, {"zitadel", believeZitadel}, {"cap", believeCap}}
}

// published answers each request with a key set.
type published []byte

func (p published) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(p)), Request: r,
	}, nil
}

const keysURL = "https://op.example/keys"

func client(s corpus.Setup) *http.Client { return &http.Client{Transport: published(s.Keys)} }

func clock(s corpus.Setup) func() time.Time { return func() time.Time { return s.Now } }

func believeRely(ctx context.Context, s corpus.Setup, raw string) error {
	keys, err := idtoken.PinnedKeys(s.Keys)
	if err != nil {
		return err
	}
	v, err := idtoken.NewVerifier(idtoken.Config{
		Issuer: s.Issuer, ClientID: s.Client, TrustedAudiences: s.TrustedAudiences, Algorithms: s.Algorithms, Keys: keys, Skew: s.Skew, Clock: clock(s),
	})
	if err != nil {
		return err
	}
	_, err = v.Verify(ctx, raw, idtoken.Expect{Nonce: s.Nonce, AccessToken: s.AccessToken, MaxAge: s.MaxAge})
	return err
}

var errCaller = errors.New("the caller's own comparison")

func believeGoOIDC(ctx context.Context, s corpus.Setup, raw string) error {
	keys := gooidc.NewRemoteKeySet(gooidc.ClientContext(ctx, client(s)), keysURL)
	v := gooidc.NewVerifier(s.Issuer, keys, &gooidc.Config{ClientID: s.Client, SupportedSigningAlgs: s.Algorithms, Now: clock(s)})
	token, err := v.Verify(ctx, raw)
	if err != nil {
		return err
	}
	if token.Nonce != s.Nonce {
		return errCaller
	}
	if s.AccessToken != "" && token.AccessTokenHash != "" {
		return token.VerifyAccessToken(s.AccessToken)
	}
	return nil
}

func believeZitadel(ctx context.Context, s corpus.Setup, raw string) error {
	options := []rp.VerifierOption{
		rp.WithSupportedSigningAlgorithms(s.Algorithms...),
		rp.WithNonce(func(context.Context) string { return s.Nonce }),
		// It knows no other clock than the machine's.
		rp.WithIssuedAtOffset(time.Until(s.Now) + time.Second),
	}
	if s.MaxAge != nil {
		// Likewise: the age is counted from the machine's time.
		options = append(options, rp.WithAuthTimeMaxAge(*s.MaxAge+time.Since(s.Now)))
	}
	v := rp.NewIDTokenVerifier(s.Issuer, s.Client, rp.NewRemoteKeySet(client(s), keysURL), options...)
	_, err := rp.VerifyTokens[*zitadel.IDTokenClaims](ctx, s.AccessToken, raw, v)
	return err
}

// request is the login that cap is told about.
type request struct {
	cap.Request
	nonce  string
	maxAge *time.Duration
	now    time.Time
}

func (r request) Nonce() string { return r.nonce }

func (r request) MaxAge() (uint, time.Time) {
	if r.maxAge == nil {
		return 0, time.Time{}
	}
	return uint(r.maxAge.Seconds()), r.now.Add(-*r.maxAge)
}

func believeCap(ctx context.Context, s corpus.Setup, raw string) error {
	algorithms := make([]cap.Alg, len(s.Algorithms))
	for i, algorithm := range s.Algorithms {
		algorithms[i] = cap.Alg(algorithm)
	}
	config, err := cap.NewConfig(s.Issuer, s.Client, "secret", algorithms, []string{"https://client.example/callback"},
		cap.WithNow(clock(s)), cap.WithRoundTripper(published(s.Keys)),
		cap.WithProviderConfig(&cap.ProviderConfig{AuthURL: "https://op.example/a", TokenURL: "https://op.example/t", UserInfoURL: "https://op.example/u", JWKSURL: keysURL}))
	if err != nil {
		return err
	}
	provider, err := cap.NewProvider(config)
	if err != nil {
		return err
	}
	defer provider.Done()
	begun, err := cap.NewRequest(time.Minute, "https://client.example/callback")
	if err != nil {
		return err
	}
	token := cap.IDToken(raw)
	if _, err := provider.VerifyIDToken(ctx, token, request{begun, s.Nonce, s.MaxAge, s.Now}); err != nil {
		return err
	}
	if s.AccessToken != "" {
		_, err = token.VerifyAccessToken(cap.AccessToken(s.AccessToken))
	}
	return err
}
