package oidctest

import (
	"net/http"
	"slices"
	"time"
)

// generic is a provider by the book: OpenID Connect Core, Discovery, the logout
// specifications, RFC 7591, RFC 7636, RFC 9101, RFC 9126, RFC 9207 and RFC 9449.
func generic() *description {
	get, both := []string{http.MethodGet}, []string{http.MethodGet, http.MethodPost}
	post := []string{http.MethodPost}
	return &description{
		name: "oidc", title: "Example ID",
		algs:        []string{"RS256", "PS256", "ES256", "EdDSA"},
		authMethods: []string{"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"},
		scope:       "openid profile email",
		// Characters for which the form encoding of Basic matters.
		clientID:     func() string { return "rely test:client" },
		clientSecret: func() string { return random(24) + "+/%: &" },
		clientKeyAlg: "ES256", proofs: true, agreements: true,
		keys: func(string) []keySpec {
			return []keySpec{{"RSA-OAEP-256", "enc"}, {"RS256", "sig"}, {"PS256", "sig"}, {"ES256", "sig"}, {"EdDSA", "sig"}}
		},
		persons: genericPersons,
		issuer:  func(p *Provider) string { return p.base },
		endpoints: []endpoint{
			{StepDiscovery, "/.well-known/openid-configuration", get, (*Provider).discovery, false},
			{StepDiscovery, "/.well-known/oauth-authorization-server", get, (*Provider).discovery, false},
			{StepWebFinger, "/.well-known/webfinger", get, (*Provider).webfinger, false},
			{StepRegister, "/register", post, (*Provider).registerClient, false},
			{StepKeys, "/jwks", get, (*Provider).serveKeys, false},
			{StepAuthorize, "/authorize", both, (*Provider).authorize, false},
			{StepPush, "/par", post, (*Provider).push, false},
			{StepLogin, "/login", post, (*Provider).login, false},
			{StepToken, "/token", post, (*Provider).token, false},
			{StepUserInfo, "/userinfo", both, (*Provider).userinfo, false},
			{StepLogout, "/logout", both, (*Provider).endSession, false},
			{StepCheckSession, "/check-session", get, (*Provider).checkSessionPage, false},
		},
		metadata: genericMetadata,
		authorize: authorizeRules{
			demanded: []string{"code_challenge"},
			request:  requestMay, requestObject: requestObject,
			modes: []string{"query", "form_post", "fragment"}, status: http.StatusFound, issuer: true, signOn: true,
		},
		token: tokenRules{
			grants: []string{"authorization_code", "refresh_token", "client_credentials"}, tokenType: "Bearer",
			idLifetime: 5 * time.Minute, lifetime: always(5 * time.Minute), refresh: refreshRotate, refreshFor: 8 * time.Hour,
			opaque: func() string { return random(32) }, scopeMember: true, badClient: http.StatusUnauthorized,
		},
		userInfo: userInfoRules{contentType: "application/json", claims: func(_ *Provider, g *grant, _ time.Time) map[string]any {
			return standardClaims(g)
		}},
		header:  kidHeader,
		claims:  genericClaims,
		subject: func(_ *Provider, person Person) string { return person.Subject },
	}
}

func genericPersons() []Person {
	return []Person{
		{Subject: "248289761001", Username: "anna", Name: "Anna Example", GivenName: "Anna", FamilyName: "Example", Email: "anna@example.com", Phone: "+15555550100", Birthdate: "1980-02-29"},
		{Subject: "248289761002", Username: "bjørn", Name: "Bjørn Østby-Example", GivenName: "Bjørn", FamilyName: "Østby-Example", Email: "bjorn@example.com"},
		{Subject: "248289761003", Username: "chidi", Name: "Chidi O'Example", GivenName: "Chidi", FamilyName: "O'Example"},
	}
}

func genericMetadata(p *Provider) map[string]any {
	return map[string]any{
		"issuer":                                         p.Issuer(),
		"authorization_endpoint":                         p.endpointURL(StepAuthorize),
		"token_endpoint":                                 p.endpointURL(StepToken),
		"userinfo_endpoint":                              p.endpointURL(StepUserInfo),
		"jwks_uri":                                       p.endpointURL(StepKeys),
		"end_session_endpoint":                           p.endpointURL(StepLogout),
		"check_session_iframe":                           p.endpointURL(StepCheckSession),
		"pushed_authorization_request_endpoint":          p.endpointURL(StepPush),
		"registration_endpoint":                          p.endpointURL(StepRegister),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       p.desc.authorize.modes,
		"grant_types_supported":                          p.desc.token.grants,
		"subject_types_supported":                        []string{"public"},
		"scopes_supported":                               []string{"openid", "profile", "email", "phone", "offline_access"},
		"claims_supported":                               []string{"sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified", "phone_number", "birthdate"},
		"id_token_signing_alg_values_supported":          []string{p.config.SigningAlg},
		"token_endpoint_auth_methods_supported":          p.desc.authMethods,
		"request_object_encryption_alg_values_supported": []string{"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"},
		"request_object_encryption_enc_values_supported": []string{"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"},
		"token_endpoint_auth_signing_alg_values_supported": []string{
			"HS256", "RS256", "RS384", "RS512", "PS256", "ES256", "EdDSA",
		},
		"request_object_signing_alg_values_supported":    []string{"HS256", "RS256", "PS256", "ES256", "EdDSA"},
		"code_challenge_methods_supported":               []string{"S256"},
		"request_parameter_supported":                    true,
		"request_uri_parameter_supported":                true,
		"claims_parameter_supported":                     false,
		"authorization_response_iss_parameter_supported": true,
		"dpop_signing_alg_values_supported":              proofAlgs(),
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"frontchannel_logout_supported":                  true,
		"frontchannel_logout_session_supported":          true,
	}
}

// kidHeader names the key by kid, as providers with a JWK Set do.
func kidHeader(p *Provider, key signingKey) map[string]any {
	return map[string]any{"alg": p.config.SigningAlg, "kid": key.kid, "typ": "JWT"}
}

func genericClaims(p *Provider, g *grant, now time.Time) map[string]any {
	claims := map[string]any{
		"iss": p.Issuer(), "sub": g.subject, "aud": g.client, "azp": g.client, "sid": g.sid,
		"auth_time": g.authTime.Unix(), "at_hash": "",
	}
	setText(claims, "nonce", g.nonce)
	setText(claims, "acr", g.acr)
	times(claims, now, p.desc.token.idLifetime)
	return claims
}

// standardClaims are those of OpenID Connect Core §5.4 for the granted scopes.
func standardClaims(g *grant) map[string]any {
	claims, person := map[string]any{"sub": g.subject}, g.person
	if slices.Contains(g.scopes, "profile") {
		setText(claims, "name", person.Name)
		setText(claims, "given_name", person.GivenName)
		setText(claims, "family_name", person.FamilyName)
		setText(claims, "preferred_username", person.Username)
		setText(claims, "birthdate", person.Birthdate)
	}
	if slices.Contains(g.scopes, "email") && person.Email != "" {
		claims["email"], claims["email_verified"] = person.Email, true
	}
	if slices.Contains(g.scopes, "phone") {
		setText(claims, "phone_number", person.Phone)
	}
	return claims
}

func setText(claims map[string]any, name, value string) {
	if value != "" {
		claims[name] = value
	}
}

func always(d time.Duration) func(*grant) time.Duration {
	return func(*grant) time.Duration { return d }
}
