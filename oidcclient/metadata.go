package oidcclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

// maxDepth bounds the nesting of every JSON text that a provider sends.
const maxDepth = 32

// ProviderMetadata are the members of a provider's metadata that this package
// uses, by their registered names (RFC 8414 §2, OpenID Connect Discovery §3,
// OpenID Connect RP-Initiated Logout §2.1, RFC 9207 §3, RFC 9449 §5.1). Others are ignored.
type ProviderMetadata struct {
	Issuer                string `json:"issuer,omitempty"`
	AuthorizationEndpoint string `json:"authorization_endpoint,omitempty"`
	TokenEndpoint         string `json:"token_endpoint,omitempty"`
	UserInfoEndpoint      string `json:"userinfo_endpoint,omitempty"`
	JWKSURI               string `json:"jwks_uri,omitempty"`
	EndSessionEndpoint    string `json:"end_session_endpoint,omitempty"`
	// PushedAuthorizationRequestEndpoint takes authorization requests before the
	// browser does (RFC 9126 §5).
	PushedAuthorizationRequestEndpoint string `json:"pushed_authorization_request_endpoint,omitempty"`
	// DeviceAuthorizationEndpoint begins logins on devices (RFC 8628 §4).
	DeviceAuthorizationEndpoint string `json:"device_authorization_endpoint,omitempty"`
	// BackchannelAuthenticationEndpoint begins logins without a browser (OpenID
	// Connect CIBA Core §4).
	BackchannelAuthenticationEndpoint string `json:"backchannel_authentication_endpoint,omitempty"`
	// IntrospectionEndpoint and RevocationEndpoint take tokens (RFC 7662, RFC
	// 7009).
	IntrospectionEndpoint string `json:"introspection_endpoint,omitempty"`
	RevocationEndpoint    string `json:"revocation_endpoint,omitempty"`
	// RegistrationEndpoint registers clients (RFC 7591 §3).
	RegistrationEndpoint string `json:"registration_endpoint,omitempty"`
	// CheckSessionIframe is the page that tells whether the person is still logged in
	// at the provider (OpenID Connect Session Management §3.3).
	CheckSessionIframe string `json:"check_session_iframe,omitempty"`
	// RequirePushedAuthorizationRequests says that it takes them in no other way.
	RequirePushedAuthorizationRequests bool `json:"require_pushed_authorization_requests,omitempty"`

	// MTLSEndpointAliases are the places of endpoints for clients that present a
	// certificate in TLS (RFC 8705 §5): such a client uses them in place of the
	// others. Its own members for the browser count for nothing.
	MTLSEndpointAliases *EndpointAliases `json:"mtls_endpoint_aliases,omitempty"`
	// ResponseIssuerSupported announces iss in every authorization response.
	ResponseIssuerSupported bool `json:"authorization_response_iss_parameter_supported,omitempty"`

	// DPoPAlgorithms are the JWS algorithms of proofs (RFC 9449 §5.1); nil says
	// nothing.
	DPoPAlgorithms []string `json:"dpop_signing_alg_values_supported,omitempty"`

	// CertificateBoundAccessTokens announces tokens that are bound to the client's
	// certificate (RFC 8705 §3.3).
	CertificateBoundAccessTokens bool `json:"tls_client_certificate_bound_access_tokens,omitempty"`

	// What follows is held against a FAPI profile, see [Config.FAPI]. Lists that are nil
	// say nothing.
	ResponseTypes           []string `json:"response_types_supported,omitempty"`                         // sets of what comes with the browser
	ResponseModes           []string `json:"response_modes_supported,omitempty"`                         // and how
	AuthMethods             []string `json:"token_endpoint_auth_methods_supported,omitempty"`            // client authentication
	AuthAlgorithms          []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"` // of client assertions
	IDTokenAlgorithms       []string `json:"id_token_signing_alg_values_supported,omitempty"`            // of ID tokens
	RequestObjectAlgorithms []string `json:"request_object_signing_alg_values_supported,omitempty"`      // of request objects
	ResponseAlgorithms      []string `json:"authorization_signing_alg_values_supported,omitempty"`       // of signed responses

	// CodeChallengeMethods are the methods of PKCE; nil says nothing, and a list
	// without S256 is refused.
	CodeChallengeMethods []string `json:"code_challenge_methods_supported,omitempty"`
}

// EndpointAliases are endpoints that the client calls itself, by their registered
// names; "" where there is no other place.
type EndpointAliases struct {
	TokenEndpoint                      string `json:"token_endpoint,omitempty"`                        // takes codes, refresh tokens and grants
	UserInfoEndpoint                   string `json:"userinfo_endpoint,omitempty"`                     // tells about the person
	PushedAuthorizationRequestEndpoint string `json:"pushed_authorization_request_endpoint,omitempty"` // takes authorization requests
	DeviceAuthorizationEndpoint        string `json:"device_authorization_endpoint,omitempty"`         // begins logins on devices
	BackchannelAuthenticationEndpoint  string `json:"backchannel_authentication_endpoint,omitempty"`   // begins logins without a browser
	IntrospectionEndpoint              string `json:"introspection_endpoint,omitempty"`                // tells about tokens
	RevocationEndpoint                 string `json:"revocation_endpoint,omitempty"`                   // ends tokens
}

// aliased returns the metadata for a client that presents a certificate.
func (m ProviderMetadata) aliased() ProviderMetadata {
	if m.MTLSEndpointAliases == nil {
		return m
	}
	for _, e := range m.beside(m.MTLSEndpointAliases) {
		if *e.alias != "" {
			*e.endpoint = *e.alias
		}
	}
	return m
}

// beside lists the endpoints that may have an alias, with these.
func (m *ProviderMetadata) beside(a *EndpointAliases) []struct{ endpoint, alias *string } {
	return []struct{ endpoint, alias *string }{
		{&m.TokenEndpoint, &a.TokenEndpoint}, {&m.UserInfoEndpoint, &a.UserInfoEndpoint},
		{&m.PushedAuthorizationRequestEndpoint, &a.PushedAuthorizationRequestEndpoint}, {&m.DeviceAuthorizationEndpoint, &a.DeviceAuthorizationEndpoint},
		{&m.BackchannelAuthenticationEndpoint, &a.BackchannelAuthenticationEndpoint},
		{&m.IntrospectionEndpoint, &a.IntrospectionEndpoint}, {&m.RevocationEndpoint, &a.RevocationEndpoint},
	}
}

// aliasesOver returns the aliases with the gaps filled from found: but for an endpoint
// that was configured, which another place would replace.
func (m ProviderMetadata) aliasesOver(found ProviderMetadata) *EndpointAliases {
	if found.MTLSEndpointAliases == nil {
		return m.MTLSEndpointAliases
	}
	aliases := &EndpointAliases{}
	if m.MTLSEndpointAliases != nil {
		*aliases = *m.MTLSEndpointAliases
	}
	theirs := found.beside(found.MTLSEndpointAliases)
	for i, ours := range m.beside(aliases) {
		if *ours.endpoint == "" && *ours.alias == "" {
			*ours.alias = *theirs[i].alias
		}
	}
	return aliases
}

// clone copies everything that a caller could change.
func (m ProviderMetadata) clone() ProviderMetadata {
	m.MTLSEndpointAliases = copied(m.MTLSEndpointAliases)
	for _, list := range []*[]string{
		&m.DPoPAlgorithms, &m.CodeChallengeMethods, &m.ResponseTypes, &m.ResponseModes, &m.AuthMethods,
		&m.AuthAlgorithms, &m.IDTokenAlgorithms, &m.RequestObjectAlgorithms, &m.ResponseAlgorithms,
	} {
		*list = slices.Clone(*list)
	}
	return m
}

// endpoints lists what has to be a safe URL, with the registered names.
func (m *ProviderMetadata) endpoints() [][2]string {
	return [][2]string{
		{"authorization_endpoint", m.AuthorizationEndpoint},
		{"token_endpoint", m.TokenEndpoint},
		{"userinfo_endpoint", m.UserInfoEndpoint},
		{"jwks_uri", m.JWKSURI},
		{"end_session_endpoint", m.EndSessionEndpoint},
		{"pushed_authorization_request_endpoint", m.PushedAuthorizationRequestEndpoint},
		{"device_authorization_endpoint", m.DeviceAuthorizationEndpoint},
		{"backchannel_authentication_endpoint", m.BackchannelAuthenticationEndpoint},
		{"introspection_endpoint", m.IntrospectionEndpoint},
		{"revocation_endpoint", m.RevocationEndpoint},
		{"registration_endpoint", m.RegistrationEndpoint},
		{"check_session_iframe", m.CheckSessionIframe},
	}
}

// check refuses endpoints that are no safe URLs.
func (m *ProviderMetadata) check(issuer *url.URL) error {
	for _, e := range m.endpoints() {
		if e[1] == "" {
			continue
		}
		if err := fetch.CheckEndpoint(e[1], issuer); err != nil {
			return errors.New(e[0] + " " + err.Error())
		}
	}
	if m.MTLSEndpointAliases == nil {
		return nil
	}
	aliased := m.aliased()
	aliased.MTLSEndpointAliases = nil
	if err := aliased.check(issuer); err != nil {
		return errors.New("mtls_endpoint_aliases: " + err.Error())
	}
	return nil
}

// over returns m with the gaps filled from found: what was configured wins.
func (m ProviderMetadata) over(found ProviderMetadata) ProviderMetadata {
	fill := func(into *string, from string) {
		if *into == "" {
			*into = from
		}
	}
	m.MTLSEndpointAliases = m.aliasesOver(found) // before anything is filled
	fill(&m.Issuer, found.Issuer)
	fill(&m.AuthorizationEndpoint, found.AuthorizationEndpoint)
	fill(&m.TokenEndpoint, found.TokenEndpoint)
	fill(&m.UserInfoEndpoint, found.UserInfoEndpoint)
	fill(&m.JWKSURI, found.JWKSURI)
	fill(&m.EndSessionEndpoint, found.EndSessionEndpoint)
	fill(&m.PushedAuthorizationRequestEndpoint, found.PushedAuthorizationRequestEndpoint)
	fill(&m.DeviceAuthorizationEndpoint, found.DeviceAuthorizationEndpoint)
	fill(&m.BackchannelAuthenticationEndpoint, found.BackchannelAuthenticationEndpoint)
	fill(&m.IntrospectionEndpoint, found.IntrospectionEndpoint)
	fill(&m.RevocationEndpoint, found.RevocationEndpoint)
	fill(&m.RegistrationEndpoint, found.RegistrationEndpoint)
	fill(&m.CheckSessionIframe, found.CheckSessionIframe)
	m.RequirePushedAuthorizationRequests = m.RequirePushedAuthorizationRequests || found.RequirePushedAuthorizationRequests
	m.ResponseIssuerSupported = m.ResponseIssuerSupported || found.ResponseIssuerSupported
	m.CertificateBoundAccessTokens = m.CertificateBoundAccessTokens || found.CertificateBoundAccessTokens
	for _, list := range []struct {
		into *[]string
		from []string
	}{
		{&m.DPoPAlgorithms, found.DPoPAlgorithms}, {&m.CodeChallengeMethods, found.CodeChallengeMethods},
		{&m.ResponseTypes, found.ResponseTypes}, {&m.ResponseModes, found.ResponseModes}, {&m.AuthMethods, found.AuthMethods},
		{&m.AuthAlgorithms, found.AuthAlgorithms}, {&m.IDTokenAlgorithms, found.IDTokenAlgorithms},
		{&m.RequestObjectAlgorithms, found.RequestObjectAlgorithms}, {&m.ResponseAlgorithms, found.ResponseAlgorithms},
	} {
		if *list.into == nil {
			*list.into = list.from
		}
	}
	return m
}

// Where metadata documents are (OpenID Connect Discovery §4, RFC 8414 §3).
const (
	wellKnown      = "/.well-known/openid-configuration"
	wellKnownOAuth = "/.well-known/oauth-authorization-server"
)

// OAuthMetadataURL returns where an issuer publishes the metadata of RFC 8414 (§3.1),
// for Config.DiscoveryURL: for https://op.example/tenant
// https://op.example/.well-known/oauth-authorization-server/tenant. OpenID Connect has
// its documents elsewhere, and a client looks in the one place that it was told. The
// error is a [*ConfigError].
func OAuthMetadataURL(issuer string) (string, error) {
	u, err := fetch.CheckURL(issuer)
	if err != nil {
		return "", wrong("Issuer", "%v", err)
	}
	if u.RawQuery != "" || u.ForceQuery {
		return "", wrong("Issuer", "has a query (RFC 8414 §2)")
	}
	// A terminating slash goes.
	return u.Scheme + "://" + u.Host + wellKnownOAuth + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}

// discoveryURL returns where the metadata are; "" where that is the place of OpenID
// Connect.
func (c *Config) discoveryURL() string {
	if c.DiscoveryURL != "" || c.Profile.Discovery != DiscoverOAuth {
		return c.DiscoveryURL
	}
	location, err := OAuthMetadataURL(c.Issuer)
	if err != nil {
		return "" // checkIssuer has refused such an issuer
	}
	return location
}

// checkDiscoveryURL accepts what names itself a place of metadata: the end of OpenID
// Connect Discovery §4, or the insertion of RFC 8414 §3.1.
func checkDiscoveryURL(location string) error {
	u, err := fetch.CheckURL(location)
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(location, wellKnown):
		return nil
	case (u.Path == wellKnownOAuth || strings.HasPrefix(u.Path, wellKnownOAuth+"/")) && u.RawQuery == "":
		return nil
	}
	return errors.New("neither ends in " + wellKnown + " nor begins with " + wellKnownOAuth + " behind its host")
}

// discover reads the metadata document of issuer with go-oidc, through a
// transport that bounds and strictly reads what go-oidc then parses. location
// is "" or the document's URL where that is not the issuer's well-known one.
func discover(ctx context.Context, client *http.Client, issuer, location string) (ProviderMetadata, error) {
	ctx = oidc.ClientContext(ctx, &http.Client{Transport: metadataTransport{client, location}})
	provider, err := oidc.NewProvider(ctx, issuer)
	var ours *Error
	var mismatch *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &ours):
		return ProviderMetadata{}, ours
	case errors.As(err, &mismatch):
		return ProviderMetadata{}, wrongIssuer()
	case err != nil:
		// The text of err quotes the document.
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "metadata have a member of a wrong type")
	}
	var raw json.RawMessage
	if err := provider.Claims(&raw); err != nil {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "metadata are not readable")
	}
	var found ProviderMetadata
	if err := strictjson.Unmarshal(raw, &found, maxDepth); err != nil {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "metadata have a member of a wrong type")
	}
	// Once more with exact member names: go-oidc also takes "Issuer" for "issuer".
	if found.Issuer != issuer {
		return ProviderMetadata{}, wrongIssuer()
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return ProviderMetadata{}, wrongIssuer()
	}
	if err := found.check(u); err != nil {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "metadata: "+err.Error())
	}
	return found, nil
}

func wrongIssuer() *Error {
	e := providerFault(StepDiscover, 0, "metadata name another issuer than the configured one")
	e.Check = "issuer"
	return e
}

// metadataTransport lets only whole, bounded, strict JSON objects through.
type metadataTransport struct {
	client   *http.Client
	location string // where go-oidc would not look, or ""
}

func (t metadataTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.location != "" {
		there, err := fetch.Get(req.Context(), t.location, "application/json")
		if err != nil {
			return nil, providerFault(StepDiscover, 0, "place of the metadata is not a URL")
		}
		req = there
	}
	got, err := roundTrip(t.client, StepDiscover, req)
	if err != nil {
		return nil, err
	}
	if _, err := readObject(StepDiscover, got); err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}},
		Body:    io.NopCloser(bytes.NewReader(got.Body)),
		Request: req, ContentLength: int64(len(got.Body)),
	}, nil
}

// readObject reads a 200 answer that must be one JSON object.
func readObject(step Step, got *fetch.Answer) (strictjson.Object, error) {
	switch {
	case got.Unavailable():
		return strictjson.Object{}, &Error{Step: step, Fault: FaultOutage, Status: got.Status, Reason: "provider can't answer now"}
	case got.Status != http.StatusOK:
		return strictjson.Object{}, providerFault(step, got.Status, "answer is not 200 OK")
	case !got.IsJSON():
		return strictjson.Object{}, providerFault(step, got.Status, "answer is not JSON by its content type")
	}
	object, err := strictjson.ParseObject(got.Body, maxDepth)
	if err != nil {
		return strictjson.Object{}, providerFault(step, got.Status, "answer is not one strict JSON object")
	}
	return object, nil
}
