package oidcclient

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/fetch"
)

// check refuses a configuration that can't work or contradicts itself.
func (c *Config) check() *ConfigError {
	for _, check := range []func() *ConfigError{
		c.checkProfile, c.checkIssuer, c.checkMetadata, c.checkClient, c.checkRequest, c.checkIdentity, c.checkFAPI, c.checkPublished,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func wrong(field, reason string, args ...any) *ConfigError {
	return &ConfigError{Field: field, Reason: fmt.Sprintf(reason, args...)}
}

func (c *Config) checkProfile() *ConfigError {
	if err := c.Profile.validate(); err != nil {
		return wrong("Profile", "%v", err)
	}
	return nil
}

func (c *Config) checkIssuer() *ConfigError {
	switch {
	case c.Tenant != nil && c.Profile.Discovery != DiscoverTenant:
		return wrong("Tenant", "is not for this profile")
	case c.Tenant != nil:
		if err := c.Tenant.check(); err != nil {
			return err
		}
		if c.Issuer == "" {
			return nil
		}
	case c.Issuer == "":
		return wrong("Issuer", "is missing")
	}
	if c.Profile.PartyIssuer {
		if len(c.Issuer) > 255 || strings.ContainsAny(c.Issuer, " \t\r\n") {
			return wrong("Issuer", "is not a party id")
		}
		return nil
	}
	u, err := fetch.CheckURL(c.Issuer)
	if err != nil {
		return wrong("Issuer", "%v", err)
	}
	if u.RawQuery != "" || u.ForceQuery {
		return wrong("Issuer", "has a query (OpenID Connect Core §2)")
	}
	return nil
}

func (c *Config) checkMetadata() *ConfigError {
	if m := c.Provider; m != nil {
		if m.Issuer != "" && m.Issuer != c.Issuer {
			return wrong("Provider", "names another issuer than Issuer")
		}
		if err := m.check(nil); err != nil {
			return wrong("Provider", "%v", err)
		}
	}
	if c.DiscoveryURL != "" {
		if err := checkDiscoveryURL(c.DiscoveryURL); err != nil {
			return wrong("DiscoveryURL", "%v", err)
		}
	}
	if c.Profile.Discovery != DiscoverNever {
		return nil
	}
	given := ProviderMetadata{}
	if c.Provider != nil {
		given = *c.Provider
	}
	for _, need := range c.needed() {
		if need.of(&given) == "" {
			return wrong("Provider", "must name %s: this kind of provider publishes no metadata", need.name)
		}
	}
	return nil
}

// need is an endpoint that a client can't do without.
type need struct {
	name string
	of   func(*ProviderMetadata) string
}

// needed lists the endpoints that have to be given or discovered.
func (c *Config) needed() []need {
	var all []need
	if c.responseType().code {
		all = append(all, need{"token_endpoint", func(m *ProviderMetadata) string { return m.TokenEndpoint }})
	}
	keys := need{"jwks_uri", func(m *ProviderMetadata) string { return m.JWKSURI }}
	if c.RedirectURI == "" {
		if c.fetchesKeys() && c.judgesTokens() {
			all = append(all, keys)
		}
		return all // a client that sends no browser anywhere
	}
	all = append(all, need{"authorization_endpoint", func(m *ProviderMetadata) string { return m.AuthorizationEndpoint }})
	if c.fetchesKeys() || c.toPublishedKey() {
		all = append(all, keys)
	}
	if c.carriage(&ProviderMetadata{}).pushed() {
		all = append(all, need{"pushed_authorization_request_endpoint", func(m *ProviderMetadata) string { return m.PushedAuthorizationRequestEndpoint }})
	}
	if c.UserInfo {
		all = append(all, need{"userinfo_endpoint", func(m *ProviderMetadata) string { return m.UserInfoEndpoint }})
	}
	return all
}

// judgesTokens reports whether a client without a browser gets something that is signed:
// ID tokens at a device or in the back channel, or answers about tokens. The others get
// access tokens only, and need no keys.
func (c *Config) judgesTokens() bool {
	m := c.Provider
	return c.IntrospectionAlgorithm != "" && !isHMAC(c.IntrospectionAlgorithm) ||
		m != nil && (m.DeviceAuthorizationEndpoint != "" || m.BackchannelAuthenticationEndpoint != "")
}

// fetchesKeys reports whether there is something to verify with the provider's
// published keys.
func (c *Config) fetchesKeys() bool {
	return c.Profile.Keys == KeysFromJWKS && c.Keys == nil && c.verifiesByKeys()
}

// verifiesByKeys reports whether anything is signed otherwise than with the secret.
func (c *Config) verifiesByKeys() bool {
	var algs []string
	if c.Profile.Identity != IdentifyNobody {
		algs = append(algs, c.algorithms()...)
	}
	if isSignedMode(c.ResponseMode) {
		algs = append(algs, c.responseAlgorithms()...)
	}
	for _, alg := range []string{c.UserInfoAlgorithm, c.IntrospectionAlgorithm} {
		if alg != "" {
			algs = append(algs, alg)
		}
	}
	return slices.ContainsFunc(algs, func(alg string) bool { return !isHMAC(alg) })
}

func (c *Config) checkClient() *ConfigError {
	if c.ClientID == "" {
		return wrong("ClientID", "is missing")
	}
	if c.RedirectURI != "" {
		if err := checkRedirect(c.RedirectURI); err != nil {
			return wrong("RedirectURI", "%v", err)
		}
	}
	if c.PostLogoutRedirectURI != "" {
		if err := checkRedirect(c.PostLogoutRedirectURI); err != nil {
			return wrong("PostLogoutRedirectURI", "%v", err)
		}
	}
	if c.LoginLifetime < 0 || c.LoginLifetime > time.Hour {
		return wrong("LoginLifetime", "is not between 0 and an hour")
	}
	return nil
}

// checkRedirect accepts what fetch.CheckURL does, and the private-use schemes of
// native applications (RFC 8252 §7.1).
func checkRedirect(raw string) error {
	u, err := url.Parse(raw)
	if err == nil && strings.Contains(u.Scheme, ".") && u.Fragment == "" {
		return nil
	}
	_, err = fetch.CheckURL(raw)
	return err
}

func (c *Config) checkRequest() *ConfigError {
	scopes := c.scopes()
	for _, s := range scopes {
		if !isScope(s) {
			return wrong("Scopes", "hold something that is no scope: each is an element, without a space (RFC 6749 §3.3)")
		}
	}
	for _, need := range c.Profile.RequiredScopes {
		if c.RedirectURI != "" && !slices.Contains(scopes, need) {
			return wrong("Scopes", "lack %q, without which there is no identity", need)
		}
	}
	if err := c.checkResponse(); err != nil {
		return err
	}
	if c.DPoP && c.Profile.UserInfo.TokenInBody {
		return wrong("DPoP", "puts access tokens into a header, where this kind of provider does not read them")
	}
	if c.UserInfoAlgorithm != "" && c.Profile.Identity != IdentifyByIDToken {
		return wrong("UserInfoAlgorithm", "is not for this profile")
	}
	if c.MaxAge != nil && (*c.MaxAge < 0 || *c.MaxAge%time.Second != 0 || *c.MaxAge >= 1<<31*time.Second) {
		return wrong("MaxAge", "is not a whole number of seconds of at most 31 bits")
	}
	if err := c.checkRequestEncryption(); err != nil {
		return err
	}
	switch {
	case c.Carriage > CarryPushedObject:
		return wrong("Carriage", "is none of the constants")
	case !c.Profile.Carriage.allows(c.Carriage):
		return wrong("Carriage", "is not for this profile")
	}
	if err := c.checkRequestAlgorithm(); err != nil {
		return err
	}
	a := &c.Authorize
	if a.ACRValues != nil || a.MinACR != "" || a.MaxAge != nil || a.RequestURI != "" || a.Reference != nil {
		return wrong("Authorize", "has ACRValues, MinACR, MaxAge, RequestURI or Reference")
	}
	if err := a.check(); err != nil {
		return wrong("Authorize."+err.Check, "%s", err.Reason)
	}
	return nil
}

// checkRequestAlgorithm lets request objects go unsigned only where nothing and nobody
// asks for their signature.
func (c *Config) checkRequestAlgorithm() *ConfigError {
	switch {
	case c.RequestAlgorithm == "":
		return nil
	case c.RequestAlgorithm != algNone:
		return wrong("RequestAlgorithm", "is neither empty nor none: signatures are made with the algorithm of Key")
	case c.Carriage != CarryObject && c.Carriage != CarryReference:
		return wrong("RequestAlgorithm", "is only for request objects that are not pushed")
	case c.FAPI != FAPINone || c.Profile.Carriage != CarryQuery:
		return wrong("RequestAlgorithm", "is not for this profile, which demands signatures")
	case c.RequestEncryption != nil:
		return wrong("RequestAlgorithm", "stands beside RequestEncryption")
	}
	return nil
}

// checkResponse judges what comes with the browser, and how.
func (c *Config) checkResponse() *ConfigError {
	kind, ok := responseTypeOf(c.ResponseType)
	switch {
	case !ok:
		return wrong("ResponseType", "is none that brings a code or an ID token")
	case kind.front() && (c.Profile.Identity != IdentifyByIDToken || c.Profile.deviates(RuleNonce)):
		return wrong("ResponseType", "is not for this profile")
	case kind.front() && (c.ResponseMode == modeQuery || c.ResponseMode == modeQueryJWT):
		return wrong("ResponseMode", "puts tokens into a query (OAuth 2.0 Multiple Response Types §3)")
	case kind.accessToken && c.DPoP:
		return wrong("DPoP", "can't bind an access token that comes with the browser")
	case !kind.code && !kind.accessToken && c.UserInfo:
		return wrong("UserInfo", "needs an access token, and the response type brings none")
	case !slices.Contains(modes(), c.ResponseMode):
		return wrong("ResponseMode", "is none of %s", strings.Join(modes()[1:], ", "))
	case c.ResponseAlgorithm != "" && !isSignedMode(c.ResponseMode):
		return wrong("ResponseAlgorithm", "is only for signed responses")
	case c.ResponseEncrypted != nil && !isSignedMode(c.ResponseMode):
		return wrong("ResponseEncrypted", "is only for signed responses")
	case c.IntrospectionEncrypted != nil && c.IntrospectionAlgorithm == "":
		return wrong("IntrospectionEncrypted", "is only for signed answers")
	case c.BackchannelAlgorithm != "" && (c.Key == nil || c.keyAlgorithm() != c.BackchannelAlgorithm):
		return wrong("BackchannelAlgorithm", "is not the algorithm of Key")
	}
	return nil
}

func (c *Config) checkIdentity() *ConfigError {
	p := &c.Profile
	var err *ConfigError
	switch p.Identity {
	case IdentifyNobody:
		err = c.checkNobody()
	case IdentifyByLegacyToken:
		err = c.checkLegacy()
	}
	if err != nil {
		return err
	}
	if p.Keys == KeysFromCertificates && len(c.TrustAnchors) == 0 {
		return wrong("TrustAnchors", "are missing: certificate chains need configured roots")
	}
	if p.Keys != KeysFromCertificates && (len(c.TrustAnchors) > 0 || len(c.Thumbprints) > 0 || c.Revocation != nil) {
		return wrong("TrustAnchors", "and other certificate settings are not for this profile")
	}
	if p.Keys == KeysFromCertificates && c.Keys != nil {
		return wrong("Keys", "are not for this profile: the certificate chain has them")
	}
	if c.Keys != nil && !c.verifiesByKeys() {
		return wrong("Keys", "are beside a secret with which everything is signed")
	}
	if p.Identity != IdentifyByLegacyToken && (c.UnverifiedLegacyIdentity != "" || c.InsecureAcceptUnverified) {
		return wrong("UnverifiedLegacyIdentity", "is not for this profile")
	}
	if c.Algorithm != "" && p.Algorithms != nil && !slices.Contains(p.Algorithms, c.Algorithm) {
		return wrong("Algorithm", "%.20q is none of %q", c.Algorithm, p.Algorithms)
	}
	return nil
}

// checkNobody refuses what would ask something of an identity.
func (c *Config) checkNobody() *ConfigError {
	const nothing = "is not for a client that identifies nobody"
	switch each := c.Authorize.ofIdentity(); {
	case slices.Contains(c.scopes(), "openid"):
		return wrong("Scopes", "ask for an identity, and this profile reads none")
	case c.ofIDToken() != "":
		return wrong(c.ofIDToken(), nothing)
	case c.UserInfo:
		return wrong("UserInfo", nothing)
	case c.UserInfoEncrypted != nil:
		return wrong("UserInfoEncrypted", nothing)
	case c.ClaimsProviders != nil:
		return wrong("ClaimsProviders", nothing)
	case c.DistributedClaims != nil:
		return wrong("DistributedClaims", nothing)
	case each != "":
		return wrong("Authorize."+each, nothing)
	}
	return nil
}

// checkLegacy refuses what only an ID token could answer, and what is verified as one is:
// a provider with a legacy identity signs nothing in that way.
func (c *Config) checkLegacy() *ConfigError {
	const nothing = "is not for a client with a legacy identity, in which nothing answers it"
	switch {
	case c.ofIDToken() != "":
		return wrong(c.ofIDToken(), nothing)
	case isSignedMode(c.ResponseMode):
		return wrong("ResponseMode", "is not for a client with a legacy identity, whose provider signs nothing else")
	case c.IntrospectionAlgorithm != "":
		return wrong("IntrospectionAlgorithm", "is not for a client with a legacy identity, whose provider signs nothing else")
	case slices.ContainsFunc(c.algorithms(), func(alg string) bool { return alg != "RS256" }):
		return wrong("Algorithm", "is not RS256, with which a legacy identity is signed")
	}
	return nil
}

// ofIDToken names the first setting that is only about ID tokens, or about what else is
// verified as they are; "" where there is none.
func (c *Config) ofIDToken() string {
	switch {
	case c.MinACR != "":
		return "MinACR"
	case c.MaxAge != nil:
		return "MaxAge"
	case c.IDTokenEncrypted != nil:
		return "IDTokenEncrypted"
	case c.UserInfoIssuers != nil:
		return "UserInfoIssuers"
	}
	return ""
}

func (c *Config) scopes() []string {
	if c.Scopes != nil {
		return c.Scopes
	}
	return c.Profile.Scopes
}

// algorithms returns what an ID token may be signed with.
func (c *Config) algorithms() []string {
	switch {
	case c.Algorithm != "":
		return []string{c.Algorithm}
	case c.Profile.Algorithms != nil:
		return c.Profile.Algorithms
	case c.FAPI != FAPINone:
		return c.FAPI.algorithms()
	}
	return []string{"RS256"}
}

// responseAlgorithms returns what an authorization response may be signed with.
func (c *Config) responseAlgorithms() []string {
	switch {
	case c.ResponseAlgorithm != "":
		return []string{c.ResponseAlgorithm}
	case c.FAPI != FAPINone:
		return c.FAPI.algorithms()
	}
	return []string{"RS256"} // JWT Secured Authorization Response Mode §3
}
