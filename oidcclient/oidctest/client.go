package oidctest

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
)

// A Client is what the provider's operator would hand to the operator of the
// relying party: the registration, the endpoints for systems that publish none,
// and the keys to trust. Every call of [Provider.Client] returns a fresh copy of
// the present state.
//
// It prints without its secrets.
type Client struct {
	// System is the provider's system, and Profile its name in configuration
	// files.
	System  System
	Profile string

	// Issuer is the expected issuer; see [Provider.Issuer].
	Issuer string

	// ClientID and ClientSecret are the registration. ClientSecret is empty where
	// AuthMethod needs none.
	ClientID     string
	ClientSecret string `json:"-"`

	// AuthMethod is the registered token_endpoint_auth_method.
	AuthMethod string

	// RedirectURIs are the registered redirect URIs.
	RedirectURIs []string

	// Scope is what a login should ask for, separated by spaces.
	Scope string

	// SigningAlg is the algorithm of ID tokens.
	SigningAlg string

	// ACRValues are the values of acr_values that the provider knows, the
	// weakest first. Empty: it repeats what is asked for.
	ACRValues []string

	// Endpoints. Those that the system does not have are empty. Discovery is
	// empty where the system publishes no metadata.
	Discovery             string
	AuthorizationEndpoint string
	TokenEndpoint         string
	UserInfoEndpoint      string
	JWKSURI               string
	EndSessionEndpoint    string
	PushedEndpoint        string

	// PrivateKey is the client's own key for assertions and request objects, and
	// PrivateKeyPEM the same in PKCS #8. Nil where Config.ClientKey was given.
	PrivateKey    crypto.Signer `json:"-"`
	PrivateKeyPEM []byte        `json:"-"`

	// Certificates is the chain of PrivateKey, the leaf first and the root last,
	// and CertificateChainPEM the same. Only under IShare.
	Certificates        []*x509.Certificate `json:"-"`
	CertificateChainPEM []byte

	// TrustAnchorsPEM are the roots of the provider's certificates, and
	// ProviderCertificatePEM the leaf to which request objects are encrypted.
	// Only under IShare.
	TrustAnchorsPEM        []byte
	ProviderCertificatePEM []byte

	// ProviderJWKS is the provider's present public keys as a JWK Set (RFC 7517),
	// for pinning, and ProviderKeyPEM the key that signs ID tokens as PKIX. The
	// set is nil under IShare, where keys come with certificates.
	ProviderJWKS   []byte
	ProviderKeyPEM []byte

	// DNS and Community name the tenant. Only under BlockID. DNS holds a port.
	DNS, Community string
}

// Format prints the client without its secrets under every verb.
func (c Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, c.summary())
}

// LogValue logs the client without its secrets.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.summary()) }

func (c Client) summary() string {
	return fmt.Sprintf("{system:%s issuer:%q client_id:%q secrets:[redacted]}", c.Profile, c.Issuer, c.ClientID)
}
