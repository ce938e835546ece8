package oidctest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// faces is Umbrella Faces ("Profiles on Demand"): OAuth 2.0 whose token answer
// adds a JWT with the person's data, which names neither issuer nor client nor
// time. No metadata, no keys and no userinfo are published.
func faces() *description {
	return &description{
		name: "faces", title: "Faces (test)",
		algs:         []string{"RS256"},
		authMethods:  []string{"client_secret_basic"},
		scope:        "openid profile email",
		clientID:     func() string { return "rely-faces-test" },
		clientSecret: uuid,
		clientKeyAlg: "ES256",
		keys:         func(string) []keySpec { return []keySpec{{"RS256", "sig"}} },
		persons:      facesPersons,
		issuer:       func(p *Provider) string { return p.base },
		endpoints: []endpoint{
			{StepAuthorize, "/oauth/authorize", []string{http.MethodGet}, (*Provider).authorize, false},
			{StepLogin, "/login", []string{http.MethodPost}, (*Provider).login, false},
			{StepToken, "/oauth/token", []string{http.MethodPost}, (*Provider).token, false},
		},
		authorize: authorizeRules{
			request: requestNever, defaultScope: "email openid profile", modes: []string{"query"}, status: http.StatusFound,
		},
		token: tokenRules{
			grants: []string{"authorization_code", "refresh_token", "client_credentials"}, tokenType: "bearer",
			lifetime: always(3599 * time.Second), refresh: refreshKeep, refreshFor: sessionLifetime,
			opaque: uuid, extra: facesExtra, badClient: http.StatusUnauthorized,
		},
		header:      func(p *Provider, _ signingKey) map[string]any { return map[string]any{"alg": p.config.SigningAlg} },
		claims:      facesClaims,
		subject:     func(_ *Provider, person Person) string { return person.Subject },
		claimOrder:  []string{"openid", "profile", "email"},
		answerOrder: []string{"access_token", "token_type", "refresh_token", "expires_in", "scope", "id_token"},
	}
}

func facesPersons() []Person {
	return []Person{
		{Subject: "0b1f6a3e-1c1d-4c55-9a52-6f2d6a1c0001", Username: "renate", Name: "Renate Müster", GivenName: "Renate", FamilyName: "Müster", Email: "renate@example.org", Phone: "+41000000001"},
		{Subject: "0b1f6a3e-1c1d-4c55-9a52-6f2d6a1c0002", Username: "luca", Name: "Luca Esempio", GivenName: "Luca", FamilyName: "Esempio", Email: "luca@example.org", Phone: "+41000000002"},
	}
}

// facesExtra names the scopes where an ID token comes along, sorted as in the
// published sample.
func facesExtra(_ *Provider, g *grant, answer map[string]any) {
	if slices.Contains(g.scopes, "openid") {
		answer["scope"] = strings.Join(slices.Sorted(slices.Values(g.scopes)), " ")
	}
}

// facesClaims groups the person's data by scope; the subject stands in openid.
func facesClaims(_ *Provider, g *grant, _ time.Time) map[string]any {
	claims := map[string]any{"openid": g.subject}
	if slices.Contains(g.scopes, "profile") {
		claims["profile"] = map[string]any{
			"firstname": g.person.GivenName, "name": g.person.FamilyName,
			"displayname": g.person.Name, "phone": g.person.Phone,
		}
	}
	if slices.Contains(g.scopes, "email") {
		setText(claims, "email", g.person.Email)
	}
	return claims
}
