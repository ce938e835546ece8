package oidcclient

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
)

// Config is one registration of this application at one provider. [New] copies
// what it needs: changing a Config afterwards has no effect.
//
// A printed Config shows no secret.
type Config struct {
	// Profile says what kind of provider it is. Required; take one from package
	// profiles.
	Profile Profile

	// FAPI is a profile of the OpenID Foundation to keep to; the zero value is none.
	FAPI FAPI

	// Issuer is the expected issuer, compared byte for byte with iss and with
	// the metadata: an https URL (http only for loopback), or a party id where
	// the profile says so. Required unless Tenant or Account is given.
	Issuer string

	// Account is given instead of Issuer where the issuer is that of an address or a
	// URL, by WebFinger at the first use; see [FindIssuer]. Whoever has the host of the
	// account then chooses the issuer.
	Account string

	// Tenant is given instead of Issuer where the profile finds its provider by
	// tenant.
	Tenant *Tenant

	// Provider holds metadata given by hand; they win over discovered ones, and
	// when everything that is needed is given, discovery is not done.
	Provider *ProviderMetadata

	// DiscoveryURL is the URL of the metadata document where that is not the issuer's
	// well-known one: it ends in /.well-known/openid-configuration, or has
	// /.well-known/oauth-authorization-server before the issuer's path (RFC 8414
	// §3.1, [OAuthMetadataURL]). Issuer is still the only issuer that the document may name.
	DiscoveryURL string

	// ProviderSource finds the provider otherwise than by discovery, and stands instead of
	// Provider, DiscoveryURL and Keys.
	ProviderSource ProviderSource

	// ClientID is this client's identifier. Required unless Register is given.
	ClientID string

	// Register, instead of ClientID and ClientSecret, registers the client at its first
	// use.
	Register *RegistrationRequest

	// ClientSecret is for the client_secret methods.
	ClientSecret string

	// RedirectURI is where the provider sends the person back to, exactly as
	// registered. A client without one can't log anybody in, only ask for
	// tokens of its own with [Client.Token].
	RedirectURI string

	// PostLogoutRedirectURI is where the provider sends the person after a
	// logout; "" leaves that to the provider.
	PostLogoutRedirectURI string

	// Scopes to ask for; nil means the profile's.
	Scopes []string

	// AuthMethod is the one token_endpoint_auth_method used with every request:
	// client_secret_basic, client_secret_post, client_secret_jwt,
	// private_key_jwt, tls_client_auth, self_signed_tls_client_auth or none.
	// "" means the profile's first. Another one is never tried.
	AuthMethod string

	// AuthAlgorithm is the JWS algorithm of client_secret_jwt; "" is HS256. The
	// algorithm of private_key_jwt is the key's.
	AuthAlgorithm string

	// AssertionAudience is the audience of client assertions: "issuer",
	// "token_endpoint", "endpoint" (the URL called), or any other string as it
	// stands. "" means the profile's choice.
	AssertionAudience string

	// Key signs client assertions and request objects.
	Key *assertion.Key

	// PublishedKeys are published beside Key, so that it can be changed without an
	// outage: the next key before it signs, the last one after it has signed. See
	// [PublishedKey] for the steps.
	PublishedKeys []PublishedKey

	// DPoP binds tokens to a key that each login makes anew and the session keeps (RFC
	// 9449): a stolen token is then of no use. Tokens that the provider does not bind
	// are refused. Tokens of [Client.Token] are bound to a key of the client's, which
	// lives as long as the Client.
	DPoP bool

	// Carriage says how authorization requests travel; the zero value leaves that
	// to the profile. A provider whose metadata demand pushed requests gets them
	// pushed in any case.
	Carriage Carriage

	// RequestAlgorithm is "none" for request objects that are not signed (OpenID Connect
	// Core §6.1), to a provider that takes no others: anybody could have made them, and
	// [Client.Deviations] then lists that. Only for [CarryObject] and [CarryReference]. ""
	// is the algorithm of Key.
	RequestAlgorithm string

	// RequestEncryption, where there are request objects, also encrypts them to
	// the provider (RFC 9101 §4). Without a Key it is to the one that the provider
	// publishes at its jwks_uri: the one with that KeyID, or else the one that
	// [idtoken.RemoteKeys.EncryptionKey] chooses. When there is none, a login fails
	// with the Check "request_encryption".
	RequestEncryption *assertion.Encryption

	// ClientCertificate is presented in TLS, for the tls methods.
	ClientCertificate *tls.Certificate

	// RootCAs verify the provider's own TLS certificate; nil means the
	// system's. They never verify tokens.
	RootCAs *x509.CertPool

	// Keys verify ID tokens instead of the provider's jwks_uri; see
	// [idtoken.PinnedKeys]. Any go-oidc KeySet fits.
	Keys idtoken.KeySource

	// TrustAnchors are the roots for certificate chains in tokens. Required
	// where the profile takes keys from certificates; the system's roots are
	// never used for that.
	TrustAnchors []*x509.Certificate

	// Thumbprints are SHA-256 thumbprints of certificates registered for the
	// issuer, in hexadecimal or base64url, for issuers whose certificates do
	// not name them.
	Thumbprints []string

	// Revocation, when set, is asked about each certificate path, and with an error the
	// token is not believed; see [idtoken.RevocationChecker].
	Revocation idtoken.RevocationChecker

	// UnverifiedLegacyIdentity accepts a legacy identity although no key
	// verifies its signature, on the strength of TLS to the token endpoint
	// alone. It holds the reason for that and works only together with
	// InsecureAcceptUnverified.
	UnverifiedLegacyIdentity string

	// InsecureAcceptUnverified is the second of the two questions about
	// UnverifiedLegacyIdentity.
	InsecureAcceptUnverified bool

	// Algorithm is the one id_token_signed_response_alg accepted; "" means the
	// profile's, else RS256.
	Algorithm string

	// ResponseType says what comes with the browser: code, or "code id_token" for an
	// ID token that comes with the code and vouches for it (OpenID Connect Core §3.3),
	// or id_token without a token request (§3.2); "" means code.
	//
	// "code token", "code id_token token" and "id_token token" bring an access token
	// through the browser, where its history, extensions and scripts see it; RFC 9700
	// §2.1.2 says not to. They are for providers that offer nothing else:
	// [Client.Deviations] then lists that, and [Session.FrontChannelToken] tells it of
	// a token.
	ResponseType string

	// ResponseMode is query, form_post or fragment, or jwt, query.jwt, form_post.jwt or
	// fragment.jwt for responses that the provider signs; "" leaves it out of the
	// request, and means query for code and fragment for all others, which are never
	// in a query. What comes in a fragment a page of the application has to post;
	// package weblogin has one.
	ResponseMode string

	// ResponseAlgorithm is the one authorization_signed_response_alg accepted
	// where responses are signed; "" means RS256.
	ResponseAlgorithm string

	// DecryptionKeys decrypt what the provider encrypts to this client, all of them at
	// once (OpenID Connect Core §10.2.1). To change one, add the new key as an
	// unpublished one; when all machines have it, publish it and unpublish the old one;
	// drop the old one when the provider must have fetched the keys anew.
	DecryptionKeys []DecryptionKey

	// IDTokenEncrypted, UserInfoEncrypted, ResponseEncrypted and IntrospectionEncrypted
	// say of which kinds of token it was agreed that they are encrypted, and how: nil
	// means not.
	IDTokenEncrypted, UserInfoEncrypted, ResponseEncrypted, IntrospectionEncrypted *Encrypted

	// ACRValues are asked for with each login, in order of preference.
	ACRValues []string

	// MinACR is the least assurance that is accepted, by the profile's order of
	// acr values, and where it has none by equality (see [idtoken.ACRPolicy]); "" accepts
	// any.
	MinACR string

	// MaxAge, when not nil, is sent as max_age, and an older authentication is
	// refused: whole seconds, not negative.
	MaxAge *time.Duration

	// Authorize is asked for with each login that does not say otherwise. Its
	// ACRValues, MinACR, MaxAge, RequestURI and Reference have to be empty: the first
	// three have fields above, and the others are one login's.
	Authorize BeginOptions

	// UserInfo makes Complete ask for userinfo after the ID token.
	UserInfo bool

	// UserInfoAlgorithm is the one userinfo_signed_response_alg accepted, and
	// demands a signed answer; "" leaves it to the profile whether it has to be
	// signed, with the algorithms of ID tokens.
	UserInfoAlgorithm string

	// UserInfoIssuers are accepted as issuer of a signed userinfo answer beside
	// Issuer.
	UserInfoIssuers []string

	// BackchannelAlgorithm makes requests for logins without a browser signed ones
	// (OpenID Connect CIBA Core §7.1.1): the registered
	// backchannel_authentication_request_signing_alg, which has to be the Key's. "" sends
	// the parameters as they are.
	BackchannelAlgorithm string

	// IntrospectionAlgorithm is the one introspection_signed_response_alg accepted, and
	// demands signed answers about tokens (RFC 9701); "" takes plain JSON (RFC 7662).
	IntrospectionAlgorithm string

	// ClaimsProviders are believed about people beside the provider, where it passes on
	// what they have signed (aggregated claims, OpenID Connect Core §5.6.2). What the
	// provider itself has signed is believed in any case.
	ClaimsProviders []ClaimsProvider

	// DistributedClaims are the origins, such as "https://claims.example", from which
	// claims may be fetched that the provider only points to; and whose issuers are
	// believed by their published keys. None: nothing is fetched.
	DistributedClaims []string

	// LoginLifetime bounds the time between Begin and Complete; 0 means ten
	// minutes, more than an hour is refused.
	LoginLifetime time.Duration

	// HTTPClient makes the requests; nil means a client of the standard
	// library's default transport. Its cookies and redirect policy are not
	// used, and its timeout only if it is shorter than 15 seconds.
	HTTPClient *http.Client

	// Clock tells the time; nil means time.Now.
	Clock func() time.Time

	// Logger receives what an operator wants to see, without tokens and
	// personal data; nil means silence.
	Logger *slog.Logger
}

// clone copies everything that a caller could change afterwards.
func (c Config) clone() Config {
	c.Profile = c.Profile.clone()
	c.Scopes = slices.Clone(c.Scopes)
	c.ACRValues = slices.Clone(c.ACRValues)
	c.UserInfoIssuers = slices.Clone(c.UserInfoIssuers)
	c.Thumbprints = slices.Clone(c.Thumbprints)
	c.TrustAnchors = slices.Clone(c.TrustAnchors)
	c.Tenant = copied(c.Tenant)
	if c.Provider != nil {
		provider := c.Provider.clone()
		c.Provider = &provider
	}
	if c.Register = copied(c.Register); c.Register != nil {
		c.Register.Metadata = maps.Clone(c.Register.Metadata)
	}
	if c.Key = copied(c.Key); c.Key != nil {
		c.Key.Certificates = slices.Clone(c.Key.Certificates)
	}
	c.RequestEncryption = copied(c.RequestEncryption)
	c.PublishedKeys = slices.Clone(c.PublishedKeys)
	c.DecryptionKeys = slices.Clone(c.DecryptionKeys)
	c.IDTokenEncrypted, c.UserInfoEncrypted, c.ResponseEncrypted = copied(c.IDTokenEncrypted), copied(c.UserInfoEncrypted), copied(c.ResponseEncrypted)
	c.IntrospectionEncrypted = copied(c.IntrospectionEncrypted)
	c.ClaimsProviders = slices.Clone(c.ClaimsProviders)
	for i := range c.ClaimsProviders {
		c.ClaimsProviders[i].Algorithms = slices.Clone(c.ClaimsProviders[i].Algorithms)
	}
	c.DistributedClaims = slices.Clone(c.DistributedClaims)
	c.MaxAge = copied(c.MaxAge)
	c.Authorize = c.Authorize.clone()
	return c
}

// responseType is what was checked to be one.
func (c *Config) responseType() responseType {
	t, _ := responseTypeOf(c.ResponseType)
	return t
}

// responseMode is the one that is expected, asked for or not (OAuth 2.0 Multiple
// Response Type Encoding Practices §2.1, JWT Secured Authorization Response Mode
// §2.3.4).
func (c *Config) responseMode() string {
	switch front := c.responseType().front(); {
	case front && c.ResponseMode == "":
		return modeFragment
	case front && c.ResponseMode == modeJWT:
		return modeFragmentJWT
	}
	return c.ResponseMode
}

// carriage is how requests travel to a provider with these metadata.
func (c *Config) carriage(m *ProviderMetadata) Carriage {
	carriage := c.Carriage
	if carriage == CarryQuery {
		carriage = c.Profile.Carriage
	}
	if !m.RequirePushedAuthorizationRequests {
		return carriage
	}
	switch carriage {
	case CarryQuery:
		return CarryPushed
	case CarryObject, CarryReference:
		return CarryPushedObject
	}
	return carriage
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}

const redacted = "[redacted]"

func (c Config) String() string {
	return "oidcclient.Config{" + c.Profile.Name + " " + c.Issuer + " " + c.ClientID + "}"
}

// Format keeps secrets out of every verb of package fmt.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue keeps secrets out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON keeps secrets out of JSON.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }
