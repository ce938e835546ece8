package oidctest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ishareLife is the lifetime of every JWT in the scheme, to the second.
const ishareLife = 30

// ishareLevels are the scheme's values of acr, the weakest first.
func ishareLevels() []string {
	const prefix = "urn:http://eidas.europa.eu/LoA/NotNotified/"
	return []string{prefix + "low", prefix + "substantial", prefix + "high"}
}

// ishare is an identity provider of the iSHARE scheme (dev.ishare.eu, "Identity
// Provider"): nothing is discovered or registered, certificates say who is who.
func ishare() *description {
	post := []string{http.MethodPost}
	return &description{
		name: "ishare", title: "iSHARE (test)",
		algs:         []string{"RS256", "RS384", "RS512"},
		authMethods:  []string{"private_key_jwt"},
		scope:        "openid iSHARE",
		acrs:         ishareLevels(),
		clientID:     func() string { return partyPrefix + clientOrganization },
		clientKeyAlg: "RS256",
		certificates: true,
		keys:         func(alg string) []keySpec { return []keySpec{{alg, "sig"}} },
		persons:      isharePersons,
		issuer:       func(*Provider) string { return partyPrefix + providerOrganization },
		endpoints: []endpoint{
			{StepAuthorize, "/connect/authorize", post, (*Provider).authorize, false},
			{StepLogin, "/account/login", post, (*Provider).login, false},
			{StepToken, "/connect/token", post, (*Provider).token, false},
			{StepUserInfo, "/connect/userinfo", post, (*Provider).userinfo, false},
		},
		authorize: authorizeRules{
			scopes: []string{"openid", "iSHARE"}, demanded: []string{"state", "nonce", "acr_values"},
			request: requestMust, requestObject: ishareRequest, check: ishareCheck,
			modes: []string{"query"}, status: http.StatusFound, onPage: true, openRedirect: true,
		},
		token: tokenRules{
			grants: []string{"authorization_code", "client_credentials"}, tokenType: "Bearer",
			idLifetime: ishareLife * time.Second, lifetime: always(time.Hour), refresh: refreshNever,
			opaque: func() string { return random(32) }, badClient: http.StatusBadRequest, shape: ishareRefusal,
		},
		userInfo: userInfoRules{signed: true, contentType: "application/jwt", claims: ishareUserInfo},
		header:   ishareHeader, headerOrder: []string{"alg", "typ", "x5c"},
		claims: ishareClaims, subject: isharePseudonym, assertion: (*Provider).ishareAssertion,
		claimOrder:  []string{"iss", "sub", "aud", "jti", "exp", "iat", "auth_time", "nonce", "acr", "azp"},
		answerOrder: []string{"id_token", "access_token", "expires_in", "token_type"},
	}
}

func isharePersons() []Person {
	return []Person{
		{Subject: "employee-1", Username: "sanne", Name: "Sanne Voorbeeld", GivenName: "Sanne", FamilyName: "Voorbeeld", Email: "sanne@example.nl"},
		{Subject: "employee-2", Username: "daan", Name: "Daan Voorbeeld", GivenName: "Daan", FamilyName: "Voorbeeld", Email: "daan@example.nl"},
	}
}

func ishareHeader(p *Provider, key signingKey) map[string]any {
	return map[string]any{"alg": p.config.SigningAlg, "typ": "JWT", "x5c": key.x5c(p.config.IShare.PEMTail)}
}

// isharePseudonym depends on the person, this provider and the client, and says
// nothing about them.
func isharePseudonym(p *Provider, person Person) string {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(p.client.id + "\x00" + person.Subject))
	return formatUUID([16]byte(mac.Sum(nil)))
}

// ishareClaims writes the times as strings, like the published sample.
func ishareClaims(p *Provider, g *grant, now time.Time) map[string]any {
	acr := g.acr
	if acr == "" {
		acr = ishareLevels()[0]
	}
	claims := map[string]any{
		"iss": p.Issuer(), "sub": g.subject, "aud": g.client, "azp": g.client, "jti": uuid(),
		"nonce": g.nonce, "acr": acr, "auth_time": g.authTime.Unix(),
	}
	times(claims, now, p.desc.token.idLifetime)
	if !p.config.IShare.NumberDates {
		for _, name := range []string{"exp", "iat", "auth_time"} {
			claims[name] = strconv.FormatInt(claims[name].(int64), 10)
		}
	}
	return claims
}

func ishareUserInfo(p *Provider, g *grant, now time.Time) map[string]any {
	claims := map[string]any{
		"iss": p.Issuer(), "sub": g.subject, "aud": g.client, "jti": uuid(),
		"company_id": partyPrefix + "NTRNL-90000009", "company_name": "Example Transport",
	}
	setText(claims, "first_name", g.person.GivenName)
	setText(claims, "last_name", g.person.FamilyName)
	times(claims, now, ishareLife*time.Second)
	return claims
}

// ishareRefusal is the shape of refusals at the token endpoint.
func ishareRefusal(p *Provider, bad *refusal) (int, []member) {
	status := map[RefusalShape]int{RefuseWithOK: http.StatusOK, RefuseWithAccepted: http.StatusAccepted}[p.config.IShare.Refusals]
	if status != 0 {
		return status, []member{{"status", false}, {"message", bad.text}}
	}
	return bad.status, []member{{"error", bad.code}, {"error_description", bad.text}}
}

// ishareRequest opens the request object. Only response_type, client_id and
// scope stand beside it, with the values that are inside.
func ishareRequest(p *Provider, outer map[string]string) (map[string]string, *refusal) {
	for name := range outer {
		if !slices.Contains([]string{"response_type", "client_id", "scope", "request"}, name) {
			return nil, refuse("invalid_request", "only response_type, client_id, scope and request may be sent")
		}
	}
	compact := outer["request"]
	if p.config.IShare.EncryptedRequests {
		var bad *refusal
		if compact, bad = p.ishareDecrypt(compact); bad != nil {
			return nil, bad
		}
	}
	t, bad := p.isharePartyJWT(compact, "urn:TBD")
	if bad != nil {
		bad.code = "invalid_request_object"
		return nil, bad
	}
	inner, bad := innerParams(t.claims)
	if bad != nil {
		return nil, bad
	}
	for _, name := range []string{"response_type", "client_id", "scope"} {
		if outer[name] == "" || inner[name] != outer[name] {
			return nil, refuse("invalid_request", name+" differs from the request object")
		}
	}
	return inner, nil
}

// ishareDecrypt opens a JWE with the scheme's one pair of algorithms.
func (p *Provider) ishareDecrypt(compact string) (string, *refusal) {
	e, err := parseJWE(compact)
	if err != nil {
		return "", refuse("invalid_request_object", err.Error())
	}
	extra := maps.Clone(e.header)
	maps.DeleteFunc(extra, func(name string, _ any) bool { return name == "alg" || name == "enc" || name == "typ" })
	if len(extra) > 0 || text(e.header, "alg") != "RSA-OAEP" || text(e.header, "enc") != "A256GCM" {
		return "", refuse("invalid_request_object", "JWE header is not alg RSA-OAEP, enc A256GCM and typ alone")
	}
	plain, err := e.decrypt(p.signer())
	if err != nil {
		return "", refuse("invalid_request_object", err.Error())
	}
	return string(plain), nil
}

// ishareCheck looks at the parameters that are only inside.
func ishareCheck(p *Provider, params map[string]string, _ bool) *refusal {
	for _, value := range strings.Fields(params["acr_values"]) {
		if !slices.Contains(p.desc.acrs, value) {
			return refuse("invalid_request", "acr_values holds an unknown level")
		}
	}
	if language := params["language"]; language != "" && len(language) != 2 {
		return refuse("invalid_request", "language is not of two letters")
	}
	if u, err := url.Parse(params["redirect_uri"]); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return refuse("invalid_request", "redirect_uri is no web address")
	}
	return nil
}

// ishareAssertion checks a client assertion.
func (p *Provider) ishareAssertion(compact string) *refusal {
	_, bad := p.isharePartyJWT(compact, p.client.id)
	return bad
}

// isharePartyJWT checks an iSHARE JWT of the client (dev.ishare.eu, "iSHARE
// JWT"): header, chain, party, audience, and times without any leeway.
func (p *Provider) isharePartyJWT(compact, subject string) (parsedJWT, *refusal) {
	t, err := parseJWT(compact)
	if err != nil {
		return t, refuse("invalid_client", err.Error())
	}
	chain, ok := ishareChain(t.header)
	if !ok || len(t.header) != 3 || text(t.header, "typ") != "JWT" || !slices.Contains(p.desc.algs, t.alg()) {
		return t, refuse("invalid_client", "JWT header is not alg, typ and x5c alone")
	}
	key, party, err := p.pki.party(chain, p.now())
	if err != nil {
		return t, refuse("invalid_client", err.Error())
	}
	if !t.verify(key) {
		return t, refuse("invalid_client", "JWT is not signed by its certificate")
	}
	if text(t.claims, "iss") != party || party != p.client.id || text(t.claims, "sub") != subject {
		return t, refuse("invalid_client", "JWT is not of the party")
	}
	if text(t.claims, "aud") != p.Issuer() {
		return t, refuse("invalid_client", "JWT has another aud than this party")
	}
	return t, p.ishareTimes(t.claims)
}

func (p *Provider) ishareTimes(claims map[string]any) *refusal {
	now := p.now().Unix()
	iat, iatOK := seconds(claims, "iat")
	exp, expOK := seconds(claims, "exp")
	if !iatOK || !expOK || iat > now || exp < now || exp != iat+ishareLife {
		return refuse("invalid_client", "JWT does not live from iat <= now for 30 seconds")
	}
	if nbf, ok := seconds(claims, "nbf"); claims["nbf"] != nil && (!ok || nbf != iat) {
		return refuse("invalid_client", "JWT has an nbf that is not iat")
	}
	jti := text(claims, "jti")
	if jti == "" || p.seenBefore(jti, 2*ishareLife*time.Second) {
		return refuse("invalid_client", "JWT has no new jti")
	}
	return nil
}

// ishareChain reads x5c: an array of base64 of DER, the leaf first.
func ishareChain(header map[string]any) ([]*x509.Certificate, bool) {
	list, ok := header["x5c"].([]any)
	if !ok || len(list) == 0 || len(list) > 8 {
		return nil, false
	}
	var der bytes.Buffer
	for _, one := range list {
		encoded, isText := one.(string)
		raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if !isText || err != nil {
			return nil, false
		}
		der.Write(raw)
	}
	chain, err := x509.ParseCertificates(der.Bytes())
	return chain, err == nil && len(chain) == len(list)
}
