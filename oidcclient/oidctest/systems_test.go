package oidctest_test

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBankIDLogin(t *testing.T) {
	for alg, text := range map[string]bool{"ES256": false, "RS256": true} {
		t.Run(alg, func(t *testing.T) {
			r := start(t, oidctest.Config{System: oidctest.BankID, SigningAlg: alg, BankID: oidctest.BankIDOptions{StringAMR: text, LowerCaseTokenType: text}})
			a := r.authorize("acr_values", "urn:bankid:bis")
			assert.Equal(t, 303, a.status)
			tokens := r.token(exchange(a.location(t).Get("code")), r.basic())
			require.Equal(t, 200, tokens.status, "%s", tokens.body)
			assert.Equal(t, "access_token expires_in# id_token not-before-policy# refresh_expires_in# refresh_token scope token_type", shape(t, tokens.body))
			m := tokens.json(t)
			assert.EqualValues(t, 300, m["expires_in"])
			assert.Equal(t, map[bool]string{true: "bearer", false: "Bearer"}[text], m["token_type"])

			header, _ := open(t, m["id_token"])
			assert.Equal(t, "kid typ alg", shape(t, header), "the order of the published header")
			claims := r.verified(m["id_token"], r.do("GET", r.client.JWKSURI, nil, nil).body)
			assert.Equal(t, r.op.URL()+"/auth/realms/current", claims["iss"])
			assert.Equal(t, "ID", claims["typ"])
			assert.Equal(t, "urn:bankid:bis;LOA=3", claims["acr"])
			assert.NotEmpty(t, claims["bankid_altsub"])
			assert.NotEmpty(t, claims["sid"])
			assert.NotContains(t, claims, "session_state")
			assert.EqualValues(t, 300, claims["exp"].(float64)-claims["iat"].(float64))
			if text {
				assert.Equal(t, "BIS", claims["amr"])
			} else {
				assert.Equal(t, []any{"bis"}, claims["amr"])
			}
			for _, published := range strings.Fields("preferred_username name given_name family_name sub iat iss auth_time exp birthdate nonce amr azp aud at_hash") {
				assert.Contains(t, claims, published)
			}
			bankIDUserInfo(t, r, m, claims)
		})
	}
}

func bankIDUserInfo(t *testing.T, r *rp, tokens, claims map[string]any) {
	u, err := url.Parse(r.client.UserInfoEndpoint)
	require.NoError(t, err)
	assert.NotContains(t, r.op.URL(), u.Host, "another origin")
	info := r.do("GET", r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"]))
	assert.Equal(t, "application/jwt;charset=utf-8", info.header.Get("Content-Type"))
	got := r.verified(string(info.body), r.op.JWKS())
	assert.Equal(t, "http://"+u.Host, got["iss"])
	assert.Equal(t, r.client.ClientID, got["aud"])
	assert.Equal(t, claims["sub"], got["sub"])
	a := r.do("POST", r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"]))
	assert.Equal(t, 405, a.status)
	assert.Equal(t, "GET", a.header.Get("Allow"))
	assert.Equal(t, 404, r.do("GET", r.op.URL()+"/userinfo", nil, bearer(tokens["access_token"])).status)
}

func TestBankIDDefaults(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.BankID})
	tokens := r.tokens()
	claims := r.verified(tokens["id_token"], r.op.JWKS())
	assert.Equal(t, "urn:bankid:bid;LOA=4", claims["acr"])
	m := r.do("GET", r.client.Discovery, nil, nil).json(t)
	assert.Equal(t, r.client.Issuer, m["issuer"])
	assert.Contains(t, m, "fraud-data-baseurl")
	assert.True(t, strings.HasSuffix(m["authorization_endpoint"].(string), "/auth/realms/current/precheck/auth"))

	var set struct{ Keys []map[string]string }
	require.NoError(t, json.Unmarshal(r.op.JWKS(), &set))
	assert.Equal(t, []string{"enc", "sig"}, []string{set.Keys[0]["use"], set.Keys[1]["use"]})

	next := r.token(renew(tokens["refresh_token"]), r.basic()).json(t)
	assert.NotEqual(t, tokens["refresh_token"], next["refresh_token"])
	assert.Equal(t, claims["sub"], r.verified(next["id_token"], r.op.JWKS())["sub"])
	assert.Equal(t, 200, r.token(exchange(r.code(), "client_id", r.client.ClientID), r.basic()).status, "tolerated today")
}

func TestBankIDRefuses(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.BankID, BankID: oidctest.BankIDOptions{RefuseClientIDInBody: true}})
	for name, change := range map[string][]string{
		"state": {"state", ""}, "nonce": {"nonce", ""}, "PKCE": {"code_challenge", "", "code_challenge_method", ""},
		"national id": {"login_hint", "BID:01017012345"}, "with phone": {"login_hint", "BIM:01017012345"},
	} {
		back := r.authorize(change...).location(t)
		assert.Equal(t, "invalid_request", back.Get("error"), name)
		assert.Empty(t, back.Get("code"), name)
	}
	assert.NotEmpty(t, r.authorize("login_hint", "BIM:99999999:010170").location(t).Get("code"))
	assert.Equal(t, 405, r.do("POST", r.client.AuthorizationEndpoint, r.params(), nil).status)
	pushed := r.do("POST", r.client.PushedEndpoint, r.params("login_hint", "BID:01017012345", "client_id", ""), r.basic())
	assert.Equal(t, 201, pushed.status, "in the back channel it may be sent: %s", pushed.body)
	a := r.token(exchange(r.code(), "client_id", r.client.ClientID), r.basic())
	assert.Equal(t, 400, a.status)
	assert.Equal(t, "invalid_client", a.json(t)["error"])
	assert.Equal(t, 200, r.token(exchange(r.code()), r.basic()).status)
}

func TestBlockIDTenant(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.BlockID, BlockID: oidctest.BlockIDOptions{Community: "acme"}})
	fetch := func(body string) answer {
		q, err := http.NewRequestWithContext(t.Context(), "POST", r.op.URL()+"/api/r1/system/community_info/fetch", strings.NewReader(body))
		require.NoError(t, err)
		q.Header.Set("Content-Type", "application/json")
		a, err := r.http.Do(q)
		require.NoError(t, err)
		defer a.Body.Close()
		out := answer{status: a.StatusCode}
		require.NoError(t, json.NewDecoder(a.Body).Decode((*json.RawMessage)(&out.body)))
		return out
	}
	good := fetch(`{"dns":"` + r.client.DNS + `","communityName":"acme"}`)
	assert.Equal(t, "tenant:object community:object", shape(t, good.body))
	assert.Equal(t, "acme", good.json(t)["community"].(map[string]any)["name"])
	for _, body := range []string{`{"dns":"x","communityName":"acme"}`, `{"dns":"` + r.client.DNS + `","communityName":"x"}`, `[]`} {
		a := fetch(body)
		assert.Equal(t, 404, a.status)
		assert.JSONEq(t, `{"error_code":404,"message":"Unable to load tenant/community"}`, string(a.body))
	}
	directory := r.do("GET", r.op.URL()+"/caas/sd", nil, nil).json(t)
	assert.Equal(t, r.op.URL()+"/oauth2", directory["oauth2"])
	assert.Contains(t, directory["idproofing"], "http://idproofing-api")

	spa := r.do("GET", r.op.URL()+"/.well-known/openid-configuration", nil, nil)
	assert.Equal(t, 200, spa.status)
	assert.Equal(t, "text/html", spa.header.Get("Content-Type"))
	assert.Equal(t, r.op.URL()+"/oauth2/community/acme", r.do("GET", r.client.Discovery, nil, nil).json(t)["issuer"])
	other := r.do("POST", r.op.URL()+"/oauth2/community/other/v1/token", exchange("x"), r.basic())
	assert.Equal(t, 404, other.status)
	assert.JSONEq(t, `{"error_code":404,"message":"Unable to load tenant/community"}`, string(other.body))
}

func TestBlockIDLogin(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.BlockID})
	proof, err := r.op.ProofOfAuthentication("priya")
	require.NoError(t, err)
	form := r.params("proof_of_authentication_jwt", proof, "nonce", "", "code_challenge", "", "code_challenge_method", "")
	a := r.do("POST", r.client.AuthorizationEndpoint, form, nil)
	assert.Equal(t, 303, a.status)
	back := a.location(t)
	assert.Equal(t, r.client.Issuer, back.Get("iss"))
	assert.Equal(t, "the-state", back.Get("state"))
	tokens := r.token(exchange(back.Get("code"), "code_verifier", ""), r.basic())
	assert.Equal(t, "access_token expires_in# id_token refresh_token scope token_type", shape(t, tokens.body))
	m := tokens.json(t)
	assert.EqualValues(t, 84600, m["expires_in"])
	assert.Len(t, m["access_token"], 43)
	header, payload := open(t, m["id_token"])
	assert.Equal(t, "alg typ kid", shape(t, header))
	assert.Equal(t, "sub username firstname lastname email at_hash aud exp# iat# iss", shape(t, payload))
	claims := r.verified(m["id_token"], r.do("GET", r.client.JWKSURI, nil, nil).body)
	assert.Equal(t, "priya", claims["sub"])
	sum := sha256.Sum256([]byte(m["access_token"].(string)))
	assert.Equal(t, b64.EncodeToString(sum[:16]), claims["at_hash"])
	assert.EqualValues(t, 3600, claims["exp"].(float64)-claims["iat"].(float64))

	claims = r.verified(r.tokens()["id_token"], r.op.JWKS())
	assert.Equal(t, "the-nonce", claims["nonce"], "by browser, and a nonce was sent")
	plain := r.tokens("scope", "email profile", "nonce", "")
	assert.NotContains(t, plain, "id_token")
	assert.EqualValues(t, 86400, plain["expires_in"])
}

func TestBlockIDRefuses(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.BlockID, BlockID: oidctest.BlockIDOptions{OmitFirstRefreshToken: true}})
	proof, err := r.op.ProofOfAuthentication("jo")
	require.NoError(t, err)
	stranger, err := r.op.ProofOfAuthentication("nobody")
	require.NoError(t, err)
	post := func(change ...string) answer {
		return r.do("POST", r.client.AuthorizationEndpoint, alter(r.params("proof_of_authentication_jwt", proof), change...), nil)
	}
	for name, change := range map[string][]string{
		"no proof": {"proof_of_authentication_jwt", ""}, "forged": {"proof_of_authentication_jwt", proof[:len(proof)-8] + "AAAAAAAA"},
		"stranger": {"proof_of_authentication_jwt", stranger}, "client": {"client_id", "x"},
	} {
		a := post(change...)
		assert.Equal(t, 401, a.status, name)
		assert.Equal(t, `{"error_code":401,"message":"Unauthorized"}`, string(a.body), name)
	}
	assert.EqualValues(t, 400, post("redirect_uri", "http://evil.example/").json(t)["error_code"])
	assert.Equal(t, "unsupported_response_type", post("response_type", "token").location(t).Get("error"))

	a := r.token(exchange("x"), r.basic())
	assert.Equal(t, 400, a.status)
	assert.Equal(t, `{"error":"invalid_grant","error_description":"grant request is invalid"}`, string(a.body))
	assert.NotContains(t, r.tokens(), "refresh_token", "like the published sample")
	refresh := r.tokens("scope", "openid offline_access")["refresh_token"]
	assert.Equal(t, "invalid_grant", r.token(renew(refresh), r.basic()).json(t)["error"], "redirect_uri is missing")
	next := r.token(renew(refresh, "redirect_uri", redirectURI), r.basic())
	assert.Equal(t, "access_token expires_in# id_token refresh_token scope token_type", shape(t, next.body))
	r.clock.Add(5 * time.Minute)
	assert.Equal(t, 401, post().status, "the proof has expired")
}

func TestFacesLogin(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.Faces})
	back := r.authorize("code_challenge", "", "code_challenge_method", "").location(t)
	assert.Empty(t, back.Get("iss"))
	a := r.token(exchange(back.Get("code"), "code_verifier", ""), r.basic())
	require.Equal(t, 200, a.status, "%s", a.body)
	assert.Equal(t, "access_token token_type refresh_token expires_in# scope id_token", shape(t, a.body))
	tokens := a.json(t)
	assert.Equal(t, "bearer", tokens["token_type"])
	assert.EqualValues(t, 3599, tokens["expires_in"])
	assert.Equal(t, "email openid profile", tokens["scope"])
	for _, name := range []string{"access_token", "refresh_token"} {
		assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, tokens[name])
	}
	header, payload := open(t, tokens["id_token"])
	assert.Equal(t, `{"alg":"RS256"}`, string(header))
	assert.Equal(t, "openid profile:object email", shape(t, payload))
	claims := r.verified(tokens["id_token"], r.client.ProviderJWKS)
	assert.Equal(t, map[string]any{"firstname": "Renate", "name": "Müster", "displayname": "Renate Müster", "phone": "+41000000001"}, claims["profile"])

	for range 2 { // refresh tokens stay
		next := r.token(renew(tokens["refresh_token"]), r.basic())
		assert.Equal(t, "access_token token_type expires_in# scope id_token", shape(t, next.body))
	}
	only := r.token(exchange(r.code("scope", "api.profilesondemand.read")), r.basic())
	assert.Equal(t, "access_token token_type refresh_token expires_in#", shape(t, only.body))
}

func TestFacesRefuses(t *testing.T) {
	r := start(t, oidctest.Config{System: oidctest.Faces})
	assert.Equal(t, 400, r.authorize("redirect_uri", "http://evil.example/").status)
	assert.Equal(t, 401, r.token(exchange(r.code()), nil).status)
	a := r.token(exchange(r.code(), "client_secret", r.client.ClientSecret, "client_id", r.client.ClientID), nil)
	assert.Equal(t, 401, a.status)
	assert.Equal(t, "invalid_client", a.json(t)["error"])
	assert.Equal(t, "invalid_grant", r.token(exchange("x"), r.basic()).json(t)["error"])
	assert.Equal(t, 405, r.do("POST", r.client.AuthorizationEndpoint, r.params(), nil).status)
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks", "/oauth/token_key"} {
		assert.Equal(t, 404, r.do("GET", r.op.URL()+path, nil, nil).status)
	}
	_, err := oidctest.New(oidctest.Config{System: oidctest.Faces, AuthMethod: "private_key_jwt"})
	assert.ErrorContains(t, err, "AuthMethod")
}
