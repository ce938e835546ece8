package oidcclient

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/rely-go/rely/assertion"
)

// The registered values of token_endpoint_auth_method (OpenID Connect Core §9,
// RFC 8705 §2).
const (
	authBasic         = "client_secret_basic"
	authPost          = "client_secret_post"
	authSecretJWT     = "client_secret_jwt"
	authPrivateKeyJWT = "private_key_jwt"
	authTLS           = "tls_client_auth"
	authSelfSignedTLS = "self_signed_tls_client_auth"
	authNone          = "none"
)

var authMethods = []string{authBasic, authPost, authSecretJWT, authPrivateKeyJWT, authTLS, authSelfSignedTLS, authNone}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Audiences of client assertions that stand for a place instead of themselves.
const (
	audienceIssuer        = "issuer"
	audienceTokenEndpoint = "token_endpoint"
	audienceEndpoint      = "endpoint"
)

// clientAuth is the one way in which a client authenticates. It is applied to
// every request to the provider and decided before the first: nothing is
// probed, so that no code is burnt.
type clientAuth struct {
	method   string
	clientID string
	secret   string
	raw      bool // Basic without form encoding
	signer   *assertion.Signer
	audience string
	idInBody bool // repeat client_id beside an assertion
}

func newClientAuth(c Config) (*clientAuth, *ConfigError) {
	p := &c.Profile
	method := c.AuthMethod
	allowed := p.AuthMethods
	if allowed == nil {
		allowed = authMethods
	}
	if method == "" {
		method = allowed[0]
	}
	if !slices.Contains(allowed, method) {
		return nil, &ConfigError{Field: "AuthMethod", Reason: fmt.Sprintf("%.40q is none of %q", method, allowed)}
	}
	a := &clientAuth{
		method: method, clientID: c.ClientID, secret: c.ClientSecret,
		raw: p.RawBasic, audience: c.assertionAudience(), idInBody: p.Assertion.ClientIDInBody,
	}
	return a, a.prepare(c)
}

// assertionAudience is the one that takes effect.
func (c *Config) assertionAudience() string {
	return cmp.Or(c.AssertionAudience, c.Profile.Assertion.Audience, audienceIssuer)
}

// prepare checks that the method has what it needs, and makes its signer.
func (a *clientAuth) prepare(c Config) *ConfigError {
	switch a.method {
	case authBasic, authPost:
		if a.secret == "" {
			return &ConfigError{Field: "ClientSecret", Reason: "is required by " + a.method}
		}
	case authSecretJWT:
		alg := c.AuthAlgorithm
		if alg == "" {
			alg = "HS256"
		}
		signer, err := assertion.New(c.assertionConfig(assertion.Key{Secret: []byte(a.secret), Algorithm: alg}))
		if err != nil {
			return &ConfigError{Field: "ClientSecret", Reason: "can't sign for " + a.method + ": " + err.Error(), Err: err}
		}
		a.signer = signer
	case authPrivateKeyJWT:
		signer, configError := c.newSigner()
		if configError != nil {
			return configError
		}
		a.signer = signer
	case authTLS, authSelfSignedTLS:
		if c.ClientCertificate == nil {
			return &ConfigError{Field: "ClientCertificate", Reason: "is required by " + a.method}
		}
	}
	return nil
}

// newSigner makes what signs assertions and request objects with Config.Key.
func (c *Config) newSigner() (*assertion.Signer, *ConfigError) {
	if c.Key == nil {
		return nil, &ConfigError{Field: "Key", Reason: "is required to sign client assertions and request objects"}
	}
	key := *c.Key
	if c.Profile.Assertion.Naming != 0 {
		key.Naming = c.Profile.Assertion.Naming
	}
	signer, err := assertion.New(c.assertionConfig(key))
	if err != nil {
		return nil, &ConfigError{Field: "Key", Reason: err.Error(), Err: err}
	}
	return signer, nil
}

func (c *Config) assertionConfig(key assertion.Key) assertion.Config {
	rules := c.Profile.Assertion
	lifetime := rules.Lifetime
	if lifetime == 0 {
		lifetime = time.Minute
	}
	return assertion.Config{
		Key: key, ClientID: c.ClientID, Lifetime: lifetime,
		BindCertificate: rules.BindCertificate, NotBefore: rules.NotBefore || c.FAPI != FAPINone, BackDate: rules.BackDate, Clock: c.Clock,
	}
}

// algorithm is that of its assertions; "" where it makes none.
func (a *clientAuth) algorithm() string {
	if a.signer == nil {
		return ""
	}
	return a.signer.Algorithm()
}

// apply puts the client's authentication into a request to endpoint.
func (a *clientAuth) apply(ctx context.Context, form url.Values, header http.Header, endpoint string, meta *ProviderMetadata) error {
	switch a.method {
	case authBasic:
		id, secret := a.clientID, a.secret
		if !a.raw {
			id, secret = url.QueryEscape(id), url.QueryEscape(secret)
		}
		// http.Request knows how to write Basic; header belongs to one.
		r := http.Request{Header: header}
		r.SetBasicAuth(id, secret)
	case authPost:
		form.Set("client_id", a.clientID)
		form.Set("client_secret", a.secret)
	case authNone, authTLS, authSelfSignedTLS:
		form.Set("client_id", a.clientID)
	case authSecretJWT, authPrivateKeyJWT:
		signed, err := a.signer.ClientAssertion(ctx, a.audienceFor(endpoint, meta))
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", signed)
		if a.idInBody {
			form.Set("client_id", a.clientID)
		}
	}
	return nil
}

func (a *clientAuth) audienceFor(endpoint string, meta *ProviderMetadata) string {
	switch a.audience {
	case audienceIssuer:
		return meta.Issuer
	case audienceTokenEndpoint:
		return meta.TokenEndpoint
	case audienceEndpoint:
		return endpoint
	}
	return a.audience
}
