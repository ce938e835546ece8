package oidcclient

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
)

// A Profile says, as data, how one kind of provider speaks OpenID Connect: its
// fields choose among the few strategies that this package has. Package
// profiles holds the ready-made ones; a Profile is copied by [New], so changing
// one afterwards changes no client.
//
// The zero value of every field is OpenID Connect Core as strict as it is
// written. What weakens it has to be listed in Deviations.
type Profile struct {
	// Name is the profile's name in configuration files. Required. Nothing is
	// ever decided by it.
	Name string

	// Title is the provider's name for people.
	Title string

	// Discovery says where the provider's metadata comes from.
	Discovery Discovery

	// Tenant describes the lookups of [DiscoverTenant].
	Tenant TenantDirectory

	// PartyIssuer allows an issuer that is a party identifier instead of an
	// https URL, as in iSHARE.
	PartyIssuer bool

	// Carriage says how the authorization request reaches the provider.
	Carriage Carriage

	// Request says what a request object holds, where Carriage uses one.
	Request RequestRules

	// NoPKCE leaves code_challenge out, for a provider that would refuse it.
	// Needs the deviation [RulePKCE].
	NoPKCE bool

	// Scopes are sent when the configuration names none.
	Scopes []string

	// RequiredScopes are refused to be missing by New.
	RequiredScopes []string

	// QueryLoginHints, when not nil, are the only values of login_hint that may
	// travel in a query: others would put personal data into URLs and logs.
	QueryLoginHints []string

	// AuthorizeParams are sent with every authorization request, in the place of our own;
	// claims can't be among them.
	AuthorizeParams map[string]string

	// ProofParam names the parameter of a proof of authentication, where a login
	// can be done without a browser ([Client.LoginWithProof]).
	ProofParam string

	// RequireCallbackIssuer refuses an authorization response without iss
	// (RFC 9207) even where the metadata do not announce it.
	RequireCallbackIssuer bool

	// AuthMethods are the values of token_endpoint_auth_method that a client may
	// choose, the default first. Nil: client_secret_basic and every other
	// method of this package.
	AuthMethods []string

	// RawBasic sends client id and secret in Basic without the form encoding of
	// RFC 6749 §2.3.1. Needs the deviation [RuleBasicEncoding].
	RawBasic bool

	// Assertion says what a client assertion looks like.
	Assertion AssertionRules

	// Identity says what the token response identifies the person with.
	Identity Identity

	// Keys says where the keys for ID tokens come from.
	Keys KeyOrigin

	// Algorithms are the values of id_token_signed_response_alg that a client
	// may choose. All of them are accepted when it chooses none. Nil: RS256, or
	// the one that the configuration names.
	Algorithms []string

	// Rules is what the profile adds to or tolerates in ID tokens.
	Rules idtoken.Rules

	// ACRValues are asked for where neither configuration nor login names any,
	// because the provider wants some.
	ACRValues []string

	// AlternativeSubject names a claim that the provider recommends as a stable
	// identifier. It is offered by [Session.AlternativeSubject] and never put
	// in the place of sub.
	AlternativeSubject string

	// UserInfo says how userinfo is asked for and what answers.
	UserInfo UserInfoRules

	// Refresh says whether and how refresh tokens are used.
	Refresh RefreshRules

	// Deviations lists every weakening of the standards and its reason.
	Deviations []Deviation
}

// Discovery says where provider metadata come from.
type Discovery uint8

const (
	// DiscoverWellKnown reads issuer + /.well-known/openid-configuration
	// (OpenID Connect Discovery §4) unless the configuration gives everything.
	DiscoverWellKnown Discovery = iota
	// DiscoverNever makes no request: every endpoint is configured.
	DiscoverNever
	// DiscoverTenant resolves a tenant's host and community name into issuer and
	// endpoints with the two requests of [TenantDirectory].
	DiscoverTenant
	// DiscoverOAuth reads what [OAuthMetadataURL] names (RFC 8414 §3) unless the
	// configuration gives everything.
	DiscoverOAuth
)

// A TenantDirectory describes how a tenant of a hosted provider is found.
type TenantDirectory struct {
	// CommunityPath is posted {"dns":…,"communityName":…} and answers the
	// community's registered name.
	CommunityPath string
	// DirectoryPath answers a JSON object of service URLs.
	DirectoryPath string
	// Service is the member of that object that names the base of the OAuth
	// endpoints. It is believed when it is on the tenant's own host.
	Service string
	// Suffixes are domains under which Service may also be.
	Suffixes []string
	// IssuerPath, AuthorizePath and TokenPath follow the base of the tenant
	// (IssuerPath) and of the service (the others); "{community}" stands for
	// the community's name.
	IssuerPath, AuthorizePath, TokenPath string
}

// Carriage says how an authorization request travels (OpenID Connect Core
// §3.1.2.1 and §6).
type Carriage uint8

const (
	// CarryQuery sends the parameters in the query of a GET.
	CarryQuery Carriage = iota
	// CarrySignedForm posts a form from the browser with a signed request
	// object.
	CarrySignedForm
	// CarryObject sends a signed request object in the query (RFC 9101 §5.1).
	CarryObject
	// CarryReference sends the URI of a signed request object, which this
	// application serves (RFC 9101 §5.2): see BeginOptions.RequestURI.
	CarryReference
	// CarryPushed sends the parameters to the provider first, authenticated, and
	// the browser with what it answers (RFC 9126).
	CarryPushed
	// CarryPushedObject does so with a signed request object (RFC 9126 §3).
	CarryPushedObject
)

// signed reports whether the request travels as a signed request object.
func (c Carriage) signed() bool {
	return c == CarrySignedForm || c == CarryObject || c == CarryReference || c == CarryPushedObject
}

func (c Carriage) pushed() bool { return c == CarryPushed || c == CarryPushedObject }

// allows reports whether a configuration may choose another carriage than its profile's.
// Where that is a signed object, it may be any that says who sends it: by a signature, or
// by the authentication with which it is pushed.
func (c Carriage) allows(chosen Carriage) bool {
	switch {
	case chosen == c, chosen == CarryQuery: // which leaves it to the profile
		return true
	case chosen == CarrySignedForm:
		return false
	case c == CarryObject:
		return chosen.signed() || chosen.pushed()
	}
	return c == CarryQuery
}

// RequestRules says what a signed request object holds (RFC 9101).
type RequestRules struct {
	// Subject is sent as sub where the provider asks for a fixed value.
	Subject string
	// Outside names the parameters repeated beside the request object; all
	// others are only inside.
	Outside []string
}

// AssertionRules says what a client assertion looks like (RFC 7523 §3).
type AssertionRules struct {
	// Audience is "issuer" (the zero value means it too), "token_endpoint" or
	// "endpoint" (the URL that is called).
	Audience string
	// Lifetime is exp − iat; zero means one minute.
	Lifetime time.Duration
	// NotBefore also sends nbf, equal to iat.
	NotBefore bool
	// BackDate puts iat up to three seconds into the past, for servers whose
	// clocks are behind and who tolerate nothing.
	BackDate time.Duration
	// Naming says how the key is named in the header.
	Naming assertion.Naming
	// BindCertificate demands that the leaf certificate names the client.
	BindCertificate bool
	// ClientIDInBody repeats client_id beside the assertion.
	ClientIDInBody bool
}

// Identity says what identifies the person in a token response.
type Identity uint8

const (
	// IdentifyByIDToken expects an ID token (OpenID Connect Core §3.1.3.3).
	IdentifyByIDToken Identity = iota
	// IdentifyByLegacyToken expects a JWT without issuer, audience and expiry
	// in the place of the ID token; see [idtoken.LegacyIdentity]. Needs the
	// deviation [RuleLegacyIdentity]. Such a token says nothing of how and when the person
	// was authenticated: New refuses MinACR, MaxAge and whatever else an ID token would
	// have to answer.
	IdentifyByLegacyToken
	// IdentifyNobody expects an access token and nothing about a person (RFC 6749
	// alone): for calling APIs in somebody's name. Of such a [Session] Identified is
	// false. An ID token that comes all the same is passed over, and whatever would
	// ask something of one is refused by New.
	IdentifyNobody
)

// KeyOrigin says where verification keys come from.
type KeyOrigin uint8

const (
	// KeysFromJWKS uses the provider's jwks_uri, or keys pinned in Config.
	KeysFromJWKS KeyOrigin = iota
	// KeysFromCertificates takes the leaf of the token's x5c chain, which has to
	// lead to the configured trust anchors and to name the issuer.
	KeysFromCertificates
	// KeysPinned accepts only keys given in Config.
	KeysPinned
)

// UserInfoRules says how userinfo is asked for (OpenID Connect Core §5.3).
type UserInfoRules struct {
	// Method is GET or POST; "" is GET.
	Method string
	// TokenInBody posts the access token in a form, for a provider that does not read
	// it from the header (RFC 6750 §2.2). Needs the deviation [RuleBearerHeader], and
	// is not for tokens that are bound by DPoP.
	TokenInBody bool
	// Signed demands a signed JWT; a plain JSON answer is then refused.
	Signed bool
	// OriginIssues lets the userinfo endpoint itself be the issuer of a signed
	// answer, by its URL or its origin, beside the provider's own issuer.
	OriginIssues bool
}

// RefreshRules says how refresh tokens are used (RFC 6749 §6).
type RefreshRules struct {
	// Never ignores refresh tokens: the scheme forbids them.
	Never bool
	// RedirectURI repeats redirect_uri in the refresh request.
	RedirectURI bool
}

// Rules of the standards that a profile may deviate from.
const (
	RulePKCE           = "pkce"            // RFC 7636
	RuleNonce          = "nonce"           // OpenID Connect Core §3.1.2.1
	RuleBasicEncoding  = "basic-encoding"  // RFC 6749 §2.3.1
	RuleLegacyIdentity = "legacy-identity" // OpenID Connect Core §2
	RuleNumericDate    = "numeric-date"    // RFC 7519 §2
	RuleIssuerURL      = "issuer-url"      // OpenID Connect Core §2
	RuleCertificateDER = "certificate-der" // RFC 7515 §4.1.6

	RuleBearerHeader      = "bearer-header"       // RFC 6750 §2.1
	RuleFrontChannelToken = "front-channel-token" // RFC 9700 §2.1.2
	RuleRequestSignature  = "request-signature"   // RFC 9101 §4
)

// A Deviation is one weakening of a standard that a provider needs. Clients
// list theirs, so that nobody has to find it out by reading code.
type Deviation struct {
	Rule   string // which rule, one of the Rule constants
	Reason string // why the provider needs it
	URL    string // where the provider says so
}

func (d Deviation) String() string { return d.Rule + ": " + d.Reason + " (" + d.URL + ")" }

// asksNonce reports whether there is an ID token in which a nonce could come back.
func (p *Profile) asksNonce() bool {
	return p.Identity != IdentifyNobody && !p.deviates(RuleNonce)
}

func (p *Profile) deviates(rule string) bool {
	return slices.ContainsFunc(p.Deviations, func(d Deviation) bool { return d.Rule == rule })
}

// validate refuses a profile whose weakenings are not said.
func (p *Profile) validate() error {
	if p.Name == "" {
		return errors.New("has no name; take one from package profiles")
	}
	for _, need := range []struct {
		rule string
		used bool
	}{
		{RulePKCE, p.NoPKCE},
		{RuleBasicEncoding, p.RawBasic},
		{RuleLegacyIdentity, p.Identity == IdentifyByLegacyToken},
		{RuleNumericDate, p.Rules.StringDates},
		{RuleIssuerURL, p.PartyIssuer},
		{RuleBearerHeader, p.UserInfo.TokenInBody},
	} {
		if need.used && !p.deviates(need.rule) {
			return fmt.Errorf("uses the deviation %q without listing it", need.rule)
		}
	}
	if p.Identity != IdentifyByIDToken && !reflect.DeepEqual(p.Rules, idtoken.Rules{ACR: p.Rules.ACR}) {
		return errors.New("has rules for ID tokens, and reads none")
	}
	if _, there := p.AuthorizeParams["claims"]; there {
		return errors.New("sends claims, whose demands nobody would check: Config.Authorize has them")
	}
	for _, d := range p.Deviations {
		if d.Rule == "" || d.Reason == "" || d.URL == "" {
			return errors.New("lists a deviation without rule, reason or URL")
		}
	}
	return nil
}

func (p Profile) clone() Profile {
	p.Scopes = slices.Clone(p.Scopes)
	p.RequiredScopes = slices.Clone(p.RequiredScopes)
	p.QueryLoginHints = slices.Clone(p.QueryLoginHints)
	p.AuthMethods = slices.Clone(p.AuthMethods)
	p.Algorithms = slices.Clone(p.Algorithms)
	p.ACRValues = slices.Clone(p.ACRValues)
	p.Deviations = slices.Clone(p.Deviations)
	p.Request.Outside = slices.Clone(p.Request.Outside)
	p.Tenant.Suffixes = slices.Clone(p.Tenant.Suffixes)
	p.Rules.HeaderMembers = slices.Clone(p.Rules.HeaderMembers)
	p.Rules.Required = slices.Clone(p.Rules.Required)
	p.Rules.ACR = p.Rules.ACR.Clone()
	p.AuthorizeParams = maps.Clone(p.AuthorizeParams)
	return p
}
