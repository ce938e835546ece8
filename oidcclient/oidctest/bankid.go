package oidctest

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// bankIDNames are the eID products as acr_values ask for them, and with the
// level that tokens add (developer.bankid.no, "ID Token").
func bankIDNames() []string { return []string{"urn:bankid:bis", "urn:bankid:bim", "urn:bankid:bid"} }

// bankID is BankID Norway with API version 4 (developer.bankid.no, "API
// versions"): a Keycloak realm whose userinfo is on another origin.
func bankID() *description {
	const realm = "/auth/realms/current"
	const protocol = realm + "/protocol/openid-connect"
	get, post, both := []string{http.MethodGet}, []string{http.MethodPost}, []string{http.MethodGet, http.MethodPost}
	return &description{
		name: "bankid", title: "BankID (test)",
		algs:        []string{"ES256", "RS256"},
		authMethods: []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt"},
		scope:       "openid profile", acrs: bankIDNames(),
		clientID:     func() string { return "rely-bankid-test" },
		clientSecret: uuid,
		clientKeyAlg: "ES256",
		keys: func(alg string) []keySpec {
			return []keySpec{{"RSA-OAEP", "enc"}, {alg, "sig"}}
		},
		userInfoApart: true,
		noBodyID:      func(p *Provider) bool { return p.config.BankID.RefuseClientIDInBody },
		persons:       bankIDPersons,
		issuer:        func(p *Provider) string { return p.base + realm },
		endpoints: []endpoint{
			{StepDiscovery, realm + "/.well-known/openid-configuration", get, (*Provider).discovery, false},
			{StepKeys, protocol + "/certs", get, (*Provider).serveKeys, false},
			{StepAuthorize, realm + "/precheck/auth", get, (*Provider).authorize, false},
			{StepPush, protocol + "/ext/par/request", post, (*Provider).push, false},
			{StepLogin, realm + "/login-actions/authenticate", post, (*Provider).login, false},
			{StepToken, protocol + "/token", post, (*Provider).token, false},
			{StepUserInfo, "/userinfo", get, (*Provider).userinfo, true},
			{StepLogout, protocol + "/logout", both, (*Provider).endSession, false},
		},
		metadata: bankIDMetadata,
		authorize: authorizeRules{
			demanded: []string{"state", "nonce", "code_challenge"}, scopes: []string{"openid"},
			request: requestMay, requestObject: requestObject, check: refuseNationalID,
			modes: []string{"query", "fragment", "form_post"}, status: http.StatusSeeOther,
		},
		token: tokenRules{
			grants: []string{"authorization_code", "refresh_token", "client_credentials"}, tokenType: "Bearer",
			idLifetime: 5 * time.Minute, lifetime: always(5 * time.Minute), refresh: refreshRotate, refreshFor: 30 * time.Minute,
			opaque: func() string { return random(32) }, newRefresh: bankIDRefresh, extra: bankIDExtra,
			scopeMember: true, badClient: http.StatusBadRequest,
		},
		userInfo: userInfoRules{signed: true, contentType: "application/jwt;charset=utf-8", claims: bankIDUserInfo},
		header:   kidHeader, headerOrder: []string{"kid", "typ", "alg"},
		claims:  bankIDClaims,
		subject: func(_ *Provider, person Person) string { return person.Subject },
	}
}

func bankIDPersons() []Person {
	return []Person{
		{Subject: "6d0f3c52-5e0a-4a0e-9c0b-1f0c2a7e5a01", Username: "Kari Eksempel", Name: "Kari Eksempel", GivenName: "Kari", FamilyName: "Eksempel", Birthdate: "1975-05-17", Claims: map[string]any{"bankid_altsub": "9578-0000-4-000001"}},
		{Subject: "6d0f3c52-5e0a-4a0e-9c0b-1f0c2a7e5a02", Username: "Ola Prøve", Name: "Ola Prøve", GivenName: "Ola", FamilyName: "Prøve", Birthdate: "1990-12-01", Claims: map[string]any{"bankid_altsub": "9578-0000-4-000002"}},
	}
}

func bankIDMetadata(p *Provider) map[string]any {
	m := genericMetadata(p)
	delete(m, "authorization_response_iss_parameter_supported")
	for _, name := range []string{"backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported", "frontchannel_logout_session_supported"} {
		delete(m, name)
	}
	m["acr_values_supported"] = bankIDNames()
	m["userinfo_signing_alg_values_supported"] = []string{p.config.SigningAlg}
	m["require_pushed_authorization_requests"] = false
	m["tls_client_certificate_bound_access_tokens"] = false
	m["release"] = "oidctest"
	for _, name := range []string{"fraud-data-baseurl", "signdoc-baseurl", "aml-baseurl"} {
		m[name] = p.base + "/" + strings.TrimSuffix(name, "-baseurl")
	}
	return m
}

// refuseNationalID refuses a login_hint that would put a national identity
// number into a URL; pushed or encrypted it may be sent.
func refuseNationalID(_ *Provider, params map[string]string, inQuery bool) *refusal {
	if inQuery && regexp.MustCompile(`(^|:)\d{11}(:|$)`).MatchString(params["login_hint"]) {
		return refuse("invalid_request", "login_hint holds a national identity number")
	}
	return nil
}

// bankIDClaims are those of developer.bankid.no, "ID Token".
func bankIDClaims(p *Provider, g *grant, now time.Time) map[string]any {
	asked := g.acr
	if asked == "" {
		asked = "urn:bankid:bid"
	}
	product := strings.TrimPrefix(asked, "urn:bankid:")
	level := ";LOA=4"
	if product == "bis" {
		level = ";LOA=3"
	}
	claims := map[string]any{
		"typ": "ID", "iss": p.Issuer(), "sub": g.subject, "aud": g.client, "azp": g.client, "sid": g.sid,
		"auth_time": g.authTime.Unix(), "at_hash": "", "acr": asked + level, "amr": []string{product}, "api_ver": "4",
		"jti": uuid(),
	}
	if p.config.BankID.StringAMR {
		claims["amr"] = strings.ToUpper(product)
	}
	setText(claims, "nonce", g.nonce)
	for name, value := range standardClaims(g) {
		claims[name] = value
	}
	times(claims, now, p.desc.token.idLifetime)
	return claims
}

// bankIDUserInfo is issued by the userinfo service, not by the realm.
func bankIDUserInfo(p *Provider, g *grant, now time.Time) map[string]any {
	claims := standardClaims(g)
	claims["iss"], claims["aud"] = p.userInfoBase, g.client
	times(claims, now, p.desc.token.idLifetime)
	return claims
}

// bankIDRefresh makes a refresh token that is a JWT; its exp says nothing about
// refresh_expires_in.
func bankIDRefresh(p *Provider, g *grant) (string, error) {
	key := p.signer()
	claims := map[string]any{"typ": "Refresh", "iss": p.Issuer(), "aud": p.Issuer(), "sub": g.subject, "azp": g.client, "sid": g.sid, "jti": uuid()}
	times(claims, p.now(), 10*time.Hour)
	return signJWT(key.private, kidHeader(p, key), claims, p.desc.headerOrder, nil)
}

func bankIDExtra(p *Provider, g *grant, answer map[string]any) {
	if !g.machine {
		answer["refresh_expires_in"] = int(p.desc.token.refreshFor.Seconds())
	}
	answer["not-before-policy"] = 0
	if p.config.BankID.LowerCaseTokenType {
		answer["token_type"] = "bearer"
	}
}
