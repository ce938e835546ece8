package oidctest

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const blockIDPath = "/oauth2/community/"

// blockID is a tenant of BlockID by 1Kosmos (developer.1kosmos.com, "OAuth 2.0
// and OIDC"): endpoints below a community's name, which two lookups lead to,
// and authorization codes for a proof of authentication.
func blockID() *description {
	const base = blockIDPath + "{community}"
	get, post, both := []string{http.MethodGet}, []string{http.MethodPost}, []string{http.MethodGet, http.MethodPost}
	return &description{
		name: "blockid", title: "BlockID (test)",
		algs:         []string{"RS256"},
		authMethods:  []string{"client_secret_basic"},
		rawBasic:     true,
		scope:        "openid email profile",
		clientID:     func() string { return hexadecimal(16) },
		clientSecret: func() string { return hexadecimal(32) },
		clientKeyAlg: "ES256",
		keys:         func(string) []keySpec { return []keySpec{{"RS256", "sig"}} },
		persons:      blockIDPersons,
		issuer:       func(p *Provider) string { return p.base + p.path(base) },
		endpoints: []endpoint{
			{StepTenant, "/api/r1/system/community_info/fetch", post, (*Provider).blockIDTenant, false},
			{StepDirectory, "/caas/sd", get, (*Provider).blockIDDirectory, false},
			{StepDiscovery, base + "/.well-known/openid-configuration", get, (*Provider).discovery, false},
			{StepKeys, base + "/v1/jwks", get, (*Provider).serveKeys, false},
			{StepAuthorize, base + "/v1/authorize", both, (*Provider).blockIDAuthorize, false},
			{StepLogin, base + "/v1/login", post, (*Provider).login, false},
			{StepToken, base + "/v1/token", post, (*Provider).token, false},
		},
		metadata: blockIDMetadata,
		missing:  blockIDMissing,
		authorize: authorizeRules{
			request: requestNever, modes: []string{"query"}, status: http.StatusSeeOther, issuer: true, demanded: []string{"scope"},
		},
		token: tokenRules{
			grants: []string{"authorization_code", "refresh_token"}, tokenType: "Bearer",
			idLifetime: time.Hour, lifetime: blockIDLifetime, refresh: refreshRotate, refreshFor: sessionLifetime, redirectURI: true,
			omitFirst: func(p *Provider, g *grant) bool {
				return p.config.BlockID.OmitFirstRefreshToken && !slices.Contains(g.scopes, "offline_access")
			},
			opaque: func() string { return random(32) }, scopeMember: true, badClient: http.StatusUnauthorized,
			texts: map[string]string{"invalid_grant": "grant request is invalid"},
		},
		header: kidHeader, headerOrder: []string{"alg", "typ", "kid"},
		claims:     blockIDClaims,
		subject:    func(_ *Provider, person Person) string { return person.Username },
		claimOrder: []string{"sub", "username", "firstname", "lastname", "email", "nonce", "at_hash", "aud", "exp", "iat", "iss"},
	}
}

func (p *Provider) community() string {
	if p.config.BlockID.Community == "" {
		return "devx"
	}
	return p.config.BlockID.Community
}

// hexadecimal returns n random bytes as hexadecimal digits.
func hexadecimal(n int) string {
	raw, err := b64.DecodeString(random(n))
	if err != nil {
		return "" // random is base64url
	}
	return hex.EncodeToString(raw)
}

func blockIDPersons() []Person {
	return []Person{
		{Subject: "jo", Username: "jo", GivenName: "Jo", FamilyName: "Sample", Name: "Jo Sample", Email: "jo@example.com"},
		{Subject: "priya", Username: "priya", GivenName: "Priya", FamilyName: "Sample", Name: "Priya Sample", Email: "priya@example.com"},
	}
}

// blockIDLifetime follows the published answers, which differ with the scope.
func blockIDLifetime(g *grant) time.Duration {
	if slices.Contains(g.scopes, "openid") {
		return 84600 * time.Second
	}
	return 86400 * time.Second
}

func blockIDMetadata(p *Provider) map[string]any {
	return map[string]any{
		"issuer":                                         p.Issuer(),
		"authorization_endpoint":                         p.endpointURL(StepAuthorize),
		"token_endpoint":                                 p.endpointURL(StepToken),
		"jwks_uri":                                       p.endpointURL(StepKeys),
		"response_types_supported":                       []string{"code"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          p.desc.algs,
		"token_endpoint_auth_methods_supported":          p.desc.authMethods,
		"grant_types_supported":                          p.desc.token.grants,
		"scopes_supported":                               []string{"openid", "email", "profile", "offline_access"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
}

func blockIDClaims(p *Provider, g *grant, now time.Time) map[string]any {
	claims := map[string]any{"iss": p.Issuer(), "sub": g.subject, "aud": g.client, "at_hash": "", "username": g.subject}
	if slices.Contains(g.scopes, "profile") {
		setText(claims, "firstname", g.person.GivenName)
		setText(claims, "lastname", g.person.FamilyName)
	}
	if slices.Contains(g.scopes, "email") {
		setText(claims, "email", g.person.Email)
	}
	setText(claims, "nonce", g.nonce)
	times(claims, now, p.desc.token.idLifetime)
	return claims
}

// envelope is how the platform outside OAuth says no.
func envelope(w http.ResponseWriter, status int, message string) {
	writeMembers(w, status, []member{{"error_code", status}, {"message", message}})
}

const noTenant = "Unable to load tenant/community"

// blockIDMissing answers what is no endpoint: well-known places hold the
// single-page application, other communities do not exist.
func blockIDMissing(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.Contains(r.URL.Path, "/.well-known/"):
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><html><head><title>BlockID</title></head><body><div id=\"root\"></div></body></html>\n")
	case strings.HasPrefix(r.URL.Path, blockIDPath):
		envelope(w, http.StatusNotFound, noTenant)
	default:
		http.NotFound(w, r)
	}
}

// blockIDTenant finds a tenant and community by names or by ids.
func (p *Provider) blockIDTenant(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		envelope(w, http.StatusBadRequest, "body can't be read")
		return
	}
	asked, err := decodeObject(body)
	tenantID, communityID := "5f0000000000000000000001", "5f0000000000000000000002"
	byName := text(asked, "dns") == r.Host && text(asked, "communityName") == p.community()
	byID := text(asked, "tenantId") == tenantID && text(asked, "communityId") == communityID
	if err != nil || !byName && !byID {
		envelope(w, http.StatusNotFound, noTenant)
		return
	}
	writeMembers(w, http.StatusOK, []member{
		{"tenant", map[string]any{"id": tenantID, "tenanttag": "example", "name": "Example Tenant"}},
		{"community", map[string]any{"id": communityID, "tenantid": tenantID, "name": p.community(), "publicKey": "AAAA"}},
	})
}

// blockIDDirectory lists services, among them, as published, some that only the
// platform itself can reach.
func (p *Provider) blockIDDirectory(w http.ResponseWriter, _ *http.Request) {
	writeMembers(w, http.StatusOK, []member{
		{"adminconsole", p.base + "/adminconsole"}, {"oauth2", p.base + "/oauth2"}, {"licenses", p.base + "/licenses"},
		{"idproofing", "http://idproofing-api:8888"}, {"internal", "https://192.168.177.210"},
	})
}

// blockIDAuthorize serves browsers by GET and programs by POST.
func (p *Provider) blockIDAuthorize(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		p.authorize(w, r)
		return
	}
	params, bad := form(r)
	if bad != nil {
		envelope(w, bad.status, bad.text)
		return
	}
	person, ok := p.proven(params["proof_of_authentication_jwt"])
	if !ok || params["client_id"] != p.client.id {
		envelope(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	req, bad := p.target(params)
	if bad != nil {
		envelope(w, bad.status, bad.text)
		return
	}
	if bad := p.checkRequest(req, params, false); bad != nil {
		p.refuseLogin(w, r, req, bad)
		return
	}
	p.respond(w, r, req, p.callback(req, url.Values{"code": {p.newCode(req, signedOn{person, p.now()})}}))
}

// ProofOfAuthentication returns a proof_of_authentication_jwt that says that the
// person with this Username has just logged in, as BlockID's other services
// give it out. It lives five minutes.
func (p *Provider) ProofOfAuthentication(username string) (string, error) {
	key := p.signer()
	claims := map[string]any{"sub": username, "aud": p.Issuer(), "iss": p.base, "jti": uuid()}
	times(claims, p.now(), 5*time.Minute)
	return signJWT(key.private, map[string]any{"alg": key.alg, "typ": "JWT", "kid": key.kid}, claims, nil, nil)
}

// proven checks a proof of authentication.
func (p *Provider) proven(compact string) (Person, bool) {
	t, err := parseJWT(compact)
	key := p.signer()
	if err != nil || t.alg() != key.alg || !t.verify(key.private.Public()) || text(t.claims, "aud") != p.Issuer() {
		return Person{}, false
	}
	if exp, ok := seconds(t.claims, "exp"); !ok || exp <= p.now().Unix() {
		return Person{}, false
	}
	for _, person := range p.config.Persons {
		if person.Username != "" && person.Username == text(t.claims, "sub") {
			return person, true
		}
	}
	return Person{}, false
}
