package clientconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// Client has the members of one client in a file.
type Client struct {
	// Profile is oidc, ishare, bankid, blockid, faces or oauth, which identifies nobody.
	Profile string `json:"profile"`
	// FAPI is 1-advanced, 2-security or 2-message-signing; see [oidcclient.FAPI].
	FAPI string `json:"fapi"`
	// Issuer is the expected issuer, a party id under ishare.
	Issuer string `json:"issuer"`
	// WebFinger is an account or a URL to find the issuer by, instead of issuer.
	WebFinger string `json:"webfinger"`
	// DynamicRegistration registers the client before its first login, with the metadata
	// of this entry, instead of client_id and client_secret; InitialAccessToken is for
	// that, where one is needed.
	DynamicRegistration bool   `json:"dynamic_registration"`
	InitialAccessToken  string `json:"initial_access_token"`
	// Federation finds the provider by its trust chain, and says what this client is.
	Federation *Federation `json:"federation"`
	// ProviderMetadata are given by hand, with any registered members; what they
	// name is not discovered.
	ProviderMetadata json.RawMessage `json:"provider_metadata"`
	// DiscoveryURL is the metadata document's URL where that is not the issuer's
	// well-known one.
	DiscoveryURL string `json:"discovery_url"`
	// ProviderJWKS is a JWK Set pinned for the provider, instead of jwks_uri.
	ProviderJWKS json.RawMessage `json:"provider_jwks"`
	// TrustAnchorsFile is PEM, the roots for certificate chains.
	TrustAnchorsFile string `json:"trust_anchors_file"`
	// ProviderThumbprints are SHA-256 thumbprints of certificates registered for
	// the issuer, hexadecimal or base64url.
	ProviderThumbprints []string `json:"provider_thumbprints"`
	// DNS and Community are the tenant under blockid.
	DNS       string `json:"dns"`
	Community string `json:"community"`

	// ClientID and ClientSecret are as registered.
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"` // of several, the one that ends in /callback/ and the client's name
	Scope        string   `json:"scope"`         // separated by spaces

	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"` // the first is used
	// Places of this application, under base_url: where the provider sends logout tokens,
	// browsers that log out there, and those that are to log in here.
	BackchannelLogoutURI  string `json:"backchannel_logout_uri"`
	FrontchannelLogoutURI string `json:"frontchannel_logout_uri"`
	InitiateLoginURI      string `json:"initiate_login_uri"`

	Registered

	// TokenEndpointAuthMethod is the one method, "" the profile's first;
	// TokenEndpointAuthSigningAlg is the algorithm of its assertion.
	TokenEndpointAuthMethod     string `json:"token_endpoint_auth_method"`
	TokenEndpointAuthSigningAlg string `json:"token_endpoint_auth_signing_alg"`
	// ClientAssertionAudience is issuer, token_endpoint, endpoint, or the
	// audience itself.
	ClientAssertionAudience string `json:"client_assertion_audience"`

	// PrivateKeyFile is PEM or one JWK; CertificateChainFile is PEM, leaf first.
	PrivateKeyFile       string `json:"private_key_file"`
	CertificateChainFile string `json:"certificate_chain_file"`

	// TLSClientCertificateFile and TLSClientKeyFile are PEM, for the tls
	// authentication methods; TLSCAFile is PEM, the roots for the provider's own
	// TLS certificate.
	TLSClientCertificateFile string `json:"tls_client_certificate_file"`
	TLSClientKeyFile         string `json:"tls_client_key_file"`
	TLSCAFile                string `json:"tls_ca_file"`

	// DPoPBoundAccessTokens binds tokens to a key of each login (RFC 9449 §5.2).
	DPoPBoundAccessTokens bool `json:"dpop_bound_access_tokens"`
	// TLSClientCertificateBoundAccessTokens says that the provider binds tokens to the
	// certificate in tls_client_certificate_file, which then has to be there (RFC 8705
	// §3.4).
	TLSClientCertificateBoundAccessTokens bool `json:"tls_client_certificate_bound_access_tokens"`

	ResponseType string `json:"response_type"` // see [oidcclient.Config]; the order of the words says nothing
	ResponseMode string `json:"response_mode"` // query, form_post, fragment, or jwt, query.jwt, form_post.jwt or fragment.jwt
	// AuthorizationSignedResponseAlg is the one algorithm of signed responses.
	AuthorizationSignedResponseAlg string `json:"authorization_signed_response_alg"`
	IDTokenSignedResponseAlg       string `json:"id_token_signed_response_alg"` // the one algorithm accepted; "" is the profile's

	// Request says how requests travel: none (the parameters in the URL), object
	// (a signed request object in it), uri (one that this application serves), or
	// pushed; "" is the profile's. A pushed one is a request object where
	// request_object_signing_alg is given.
	Request string `json:"request"`
	// RequirePushedAuthorizationRequests is the same as request pushed.
	RequirePushedAuthorizationRequests bool `json:"require_pushed_authorization_requests"`

	// RequestObjectSigningAlg has to be the key's algorithm, or none for request objects
	// that are not signed (see [oidcclient.Config]); only where there are request objects.
	RequestObjectSigningAlg string `json:"request_object_signing_alg"`
	// RequestObjectEncryptionAlg and Enc encrypt request objects: to the certificate in
	// provider_certificate_file, to a key with use enc in provider_jwks, or without both
	// to one that the provider publishes at its jwks_uri. Kid names the key of such a
	// set; Enc is A128CBC-HS256 where it is "".
	RequestObjectEncryptionAlg string `json:"request_object_encryption_alg"`
	RequestObjectEncryptionEnc string `json:"request_object_encryption_enc"`
	RequestObjectEncryptionKid string `json:"request_object_encryption_kid"`
	ProviderCertificateFile    string `json:"provider_certificate_file"`

	// What each login asks for. Prompt and UILocales are separated by spaces;
	// Claims is a JSON object, AuthorizationDetails a JSON array.
	Prompt               string          `json:"prompt"`
	LoginHint            string          `json:"login_hint"`
	UILocales            string          `json:"ui_locales"`
	Claims               json.RawMessage `json:"claims"`
	AuthorizationDetails json.RawMessage `json:"authorization_details"`
	ResourceIndicators   []string        `json:"resource_indicators"`

	// Resource is the URL of the API that the application calls with the tokens:
	// https, or http on loopback.
	Resource string `json:"resource"`

	// UserInfoSignedResponseAlg demands signed userinfo, with this algorithm.
	UserInfoSignedResponseAlg string `json:"userinfo_signed_response_alg"`

	// JWKS has this client's private keys: those for encryption, by their use, alg or
	// key_ops, decrypt (and those that say nothing, where encryption was agreed and nothing
	// else is signed with them), and one of the others signs, instead of private_key_file. Of
	// several it is the one that fits the algorithm by which the client signs, and the
	// others are only published; so are public ones, of which the one that belongs to
	// private_key_file gives that its kid.
	JWKS json.RawMessage `json:"jwks"`
	// PublishedJWKS has public keys for signatures that are published beside the one
	// that signs, each with a kid: the next one and the last one; see
	// [oidcclient.PublishedKey] for the steps of a change.
	PublishedJWKS json.RawMessage `json:"published_jwks"`
	// UnpublishedJWKS has private keys with use enc that decrypt and are not published:
	// before all machines have them, and while the provider may still use them.
	UnpublishedJWKS json.RawMessage `json:"unpublished_jwks"`
	// How the provider encrypts to these keys; "" means that it does not. Enc is
	// A128CBC-HS256 where it is "".
	IDTokenEncryptedResponseAlg       string `json:"id_token_encrypted_response_alg"`
	IDTokenEncryptedResponseEnc       string `json:"id_token_encrypted_response_enc"`
	UserInfoEncryptedResponseAlg      string `json:"userinfo_encrypted_response_alg"`
	UserInfoEncryptedResponseEnc      string `json:"userinfo_encrypted_response_enc"`
	AuthorizationEncryptedResponseAlg string `json:"authorization_encrypted_response_alg"`
	AuthorizationEncryptedResponseEnc string `json:"authorization_encrypted_response_enc"`

	// DistributedClaims are the origins from which distributed claims may be fetched.
	DistributedClaims []string `json:"distributed_claims"`

	// BackchannelAuthenticationRequestSigningAlg makes requests of CIBA signed ones, by
	// the key's algorithm.
	BackchannelAuthenticationRequestSigningAlg string `json:"backchannel_authentication_request_signing_alg"`
	// BackchannelTokenDeliveryMode is poll, ping or "", which is poll;
	// BackchannelClientNotificationEndpoint is where pings come, under base_url.
	BackchannelTokenDeliveryMode          string `json:"backchannel_token_delivery_mode"`
	BackchannelClientNotificationEndpoint string `json:"backchannel_client_notification_endpoint"`

	// IntrospectionSignedResponseAlg demands signed answers about tokens.
	IntrospectionSignedResponseAlg    string `json:"introspection_signed_response_alg"`
	IntrospectionEncryptedResponseAlg string `json:"introspection_encrypted_response_alg"` // and encrypted ones
	IntrospectionEncryptedResponseEnc string `json:"introspection_encrypted_response_enc"` // see above

	DefaultMaxAge    *int64   `json:"default_max_age"`    // seconds
	DefaultACRValues []string `json:"default_acr_values"` // in order of preference
	MinACR           string   `json:"min_acr"`            // the least that is accepted

	UserInfo        bool     `json:"userinfo"`         // ask for userinfo after the ID token
	UserInfoIssuers []string `json:"userinfo_issuers"` // further issuers of signed userinfo

	// UnverifiedIdentityReason and InsecureAcceptUnverifiedIdentity, both
	// together, accept a legacy identity without a key.
	UnverifiedIdentityReason         string `json:"unverified_identity_reason"`
	InsecureAcceptUnverifiedIdentity bool   `json:"insecure_accept_unverified_identity"`
}

// memberOf names the members behind the fields of an oidcclient.Config.
func memberOf() map[string]string {
	return map[string]string{
		"Profile": "profile", "Issuer": "issuer", "Tenant": "dns", "Tenant.DNS": "dns", "Tenant.Community": "community",
		"Provider": "provider_metadata", "DiscoveryURL": "discovery_url", "ClientID": "client_id",
		"ClientSecret": "client_secret", "RedirectURI": "redirect_uris", "PostLogoutRedirectURI": "post_logout_redirect_uris",
		"Scopes": "scope", "AuthMethod": "token_endpoint_auth_method", "AuthAlgorithm": "token_endpoint_auth_signing_alg",
		"AssertionAudience": "client_assertion_audience", "RequestEncryption": "request_object_encryption_alg",
		"ClientCertificate": "tls_client_certificate_file", "DPoP": "dpop_bound_access_tokens", "UserInfo": "userinfo", "FAPI": "fapi", "DistributedClaims": "distributed_claims", "Account": "webfinger", "Register": "dynamic_registration", "BackchannelAlgorithm": "backchannel_authentication_request_signing_alg",
		"ProviderSource": "federation", "IntrospectionAlgorithm": "introspection_signed_response_alg", "IntrospectionEncrypted": "introspection_encrypted_response_alg", "RootCAs": "tls_ca_file", "Keys": "provider_jwks",
		"TrustAnchors": "trust_anchors_file", "Thumbprints": "provider_thumbprints", "Algorithm": "id_token_signed_response_alg",
		"ResponseType": "response_type", "ResponseMode": "response_mode", "ResponseAlgorithm": "authorization_signed_response_alg", "ACRValues": "default_acr_values", "MinACR": "min_acr", "MaxAge": "default_max_age",
		"UserInfoAlgorithm": "userinfo_signed_response_alg", "DecryptionKeys": "jwks", "PublishedKeys": "published_jwks", "RequestAlgorithm": "request_object_signing_alg", "IDTokenEncrypted": "id_token_encrypted_response_alg", "UserInfoEncrypted": "userinfo_encrypted_response_alg",
		"ResponseEncrypted": "authorization_encrypted_response_alg", "Carriage": "request", "Authorize.prompt": "prompt", "Authorize.scope": "scope", "Authorize.claims": "claims",
		"Authorize.authorization_details": "authorization_details", "Authorize.resource": "resource_indicators", "UserInfoIssuers": "userinfo_issuers", "UnverifiedLegacyIdentity": "unverified_identity_reason",
	}
}

// config makes the oidcclient.Config of a client's members.
func (m *Client) config(dir string) (oidcclient.Config, *Error) {
	c := oidcclient.Config{
		Issuer: m.Issuer, Account: m.WebFinger, DiscoveryURL: m.DiscoveryURL,
		ClientID: m.ClientID, ClientSecret: m.ClientSecret, Thumbprints: m.ProviderThumbprints,
		AuthMethod: m.TokenEndpointAuthMethod, AuthAlgorithm: m.TokenEndpointAuthSigningAlg, AssertionAudience: m.ClientAssertionAudience,
		ResponseType: m.ResponseType, ResponseMode: m.ResponseMode, ResponseAlgorithm: m.AuthorizationSignedResponseAlg, UserInfoAlgorithm: m.UserInfoSignedResponseAlg, Algorithm: m.IDTokenSignedResponseAlg,
		ACRValues: m.DefaultACRValues, MinACR: m.MinACR, UserInfo: m.UserInfo, DPoP: m.DPoPBoundAccessTokens, BackchannelAlgorithm: m.BackchannelAuthenticationRequestSigningAlg, IntrospectionAlgorithm: m.IntrospectionSignedResponseAlg, UserInfoIssuers: m.UserInfoIssuers, DistributedClaims: m.DistributedClaims,
		UnverifiedLegacyIdentity: m.UnverifiedIdentityReason, InsecureAcceptUnverified: m.InsecureAcceptUnverifiedIdentity,
	}
	for _, step := range []func(*oidcclient.Config, string) *Error{
		m.basics, m.registration, m.metadata, m.request, m.ownKeys, m.encryption, m.signingKey, m.tls, m.federate, m.providerKeys, m.requestEncryption,
	} {
		if err := step(&c, dir); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (m *Client) basics(c *oidcclient.Config, _ string) *Error {
	var ok bool
	if c.Profile, ok = profiles.ByName(m.Profile); !ok {
		return &Error{Member: "profile", Reason: "is missing or no profile's name"}
	}
	if c.FAPI, ok = map[string]oidcclient.FAPI{
		"": oidcclient.FAPINone, "1-advanced": oidcclient.FAPI1Advanced, "2-security": oidcclient.FAPI2Security, "2-message-signing": oidcclient.FAPI2MessageSigning,
	}[m.FAPI]; !ok {
		return &Error{Member: "fapi", Reason: "is none of 1-advanced, 2-security and 2-message-signing"}
	}
	if m.DNS != "" || m.Community != "" {
		c.Tenant = &oidcclient.Tenant{DNS: m.DNS, Community: m.Community}
	}
	switch len(m.RedirectURIs) {
	case 0:
		if m.needsBrowser() {
			return &Error{Member: "redirect_uris", Reason: "is missing; a client without a browser says so in grant_types"}
		}
	case 1:
		c.RedirectURI = m.RedirectURIs[0]
	default:
		return &Error{Member: "redirect_uris", Reason: "has several, and not one that ends in " + callbackPlace + " and the client's name"}
	}
	if len(m.PostLogoutRedirectURIs) > 0 {
		c.PostLogoutRedirectURI = m.PostLogoutRedirectURIs[0]
	}
	if m.Scope != "" {
		c.Scopes = strings.Fields(m.Scope)
	}
	if m.DefaultMaxAge != nil {
		maxAge := time.Duration(*m.DefaultMaxAge) * time.Second
		if *m.DefaultMaxAge < 0 || *m.DefaultMaxAge >= 1<<31 {
			return &Error{Member: "default_max_age", Reason: "is not a number of seconds of at most 31 bits"}
		}
		c.MaxAge = &maxAge
	}
	return nil
}

// request says how requests travel, and what each login asks for.
func (m *Client) request(c *oidcclient.Config, _ string) *Error {
	kind := m.Request
	if m.RequirePushedAuthorizationRequests {
		if kind != "" && kind != "pushed" {
			return &Error{Member: "request", Reason: "is not pushed, as require_pushed_authorization_requests says"}
		}
		kind = "pushed"
	}
	switch kind {
	case "":
		if c.FAPI == oidcclient.FAPI2Security && m.RequestObjectSigningAlg != "" {
			c.Carriage = oidcclient.CarryPushedObject
		}
	case "none":
		if c.FAPI != oidcclient.FAPINone || c.Profile.Carriage != oidcclient.CarryQuery {
			return &Error{Member: "request", Reason: "is none, which this profile does not allow"}
		}
	case "object":
		c.Carriage = oidcclient.CarryObject
	case "uri":
		c.Carriage = oidcclient.CarryReference
	case "pushed":
		c.Carriage = oidcclient.CarryPushed
		if m.RequestObjectSigningAlg != "" {
			c.Carriage = oidcclient.CarryPushedObject
		}
	default:
		return &Error{Member: "request", Reason: "is none of none, object, uri and pushed"}
	}
	if m.Resource != "" {
		if _, err := fetch.CheckURL(m.Resource); err != nil {
			return &Error{Member: "resource", Reason: err.Error()}
		}
	}
	c.Authorize = oidcclient.BeginOptions{
		Prompt: strings.Fields(m.Prompt), LoginHint: m.LoginHint, UILocales: strings.Fields(m.UILocales),
		Claims: compact(m.Claims), AuthorizationDetails: compact(m.AuthorizationDetails), Resources: m.ResourceIndicators,
	}
	return nil
}

// compact leaves out the space of a file, which would travel in a URL.
func compact(text json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return string(text) // is none, and refused as that
	}
	return out.String()
}

func (m *Client) tls(c *oidcclient.Config, dir string) *Error {
	if (m.TLSClientCertificateFile == "") != (m.TLSClientKeyFile == "") {
		return &Error{Member: "tls_client_certificate_file", Reason: "and tls_client_key_file need each other"}
	}
	if m.TLSClientCertificateBoundAccessTokens && m.TLSClientCertificateFile == "" {
		return &Error{Member: "tls_client_certificate_bound_access_tokens", Reason: "needs tls_client_certificate_file"}
	}
	if m.TLSClientCertificateFile != "" {
		pair, err := tls.LoadX509KeyPair(resolve(dir, m.TLSClientCertificateFile), resolve(dir, m.TLSClientKeyFile))
		if err != nil {
			return &Error{Member: "tls_client_certificate_file", Reason: "can't be read with tls_client_key_file", Err: err}
		}
		c.ClientCertificate = &pair
	}
	if m.TLSCAFile != "" {
		roots, wrong := certificates(dir, "tls_ca_file", m.TLSCAFile)
		if wrong != nil {
			return wrong
		}
		c.RootCAs = x509.NewCertPool()
		for _, root := range roots {
			c.RootCAs.AddCert(root)
		}
	}
	return nil
}

func (m *Client) providerKeys(c *oidcclient.Config, dir string) *Error {
	if m.ProviderJWKS != nil {
		keys, err := idtoken.PinnedKeys(m.ProviderJWKS)
		if err != nil {
			return &Error{Member: "provider_jwks", Reason: err.Error(), Err: err}
		}
		c.Keys = keys
	}
	if m.TrustAnchorsFile != "" {
		anchors, wrong := certificates(dir, "trust_anchors_file", m.TrustAnchorsFile)
		if wrong != nil {
			return wrong
		}
		c.TrustAnchors = anchors
	}
	return nil
}

func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func read(dir, member, path string) ([]byte, *Error) {
	text, err := os.ReadFile(resolve(dir, path))
	if err != nil {
		return nil, &Error{Member: member, Reason: "can't be read", Err: err}
	}
	return text, nil
}

func certificates(dir, member, path string) ([]*x509.Certificate, *Error) {
	text, wrong := read(dir, member, path)
	if wrong != nil {
		return nil, wrong
	}
	chain, err := assertion.ParseCertificatesPEM(text)
	if err != nil {
		return nil, &Error{Member: member, Reason: err.Error(), Err: err}
	}
	return chain, nil
}
