package oidctest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGenericLogin(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			r := start(t, oidctest.Config{SigningAlg: alg})
			back := r.authorize("acr_values", "gold silver").location(t)
			assert.Equal(t, "the-state", back.Get("state"))
			assert.Equal(t, r.client.Issuer, back.Get("iss"))

			a := r.token(exchange(back.Get("code")), r.basic())
			require.Equal(t, 200, a.status, "%s", a.body)
			assert.Equal(t, "no-store", a.header.Get("Cache-Control"))
			tokens := a.json(t)
			assert.Equal(t, "Bearer", tokens["token_type"])
			assert.EqualValues(t, 300, tokens["expires_in"])

			keys := r.do("GET", r.client.JWKSURI, nil, nil)
			claims := r.verified(tokens["id_token"], keys.body)
			assert.Equal(t, r.client.Issuer, claims["iss"])
			assert.Equal(t, r.client.ClientID, claims["aud"])
			assert.Equal(t, "248289761001", claims["sub"])
			assert.Equal(t, "the-nonce", claims["nonce"])
			assert.Equal(t, "gold", claims["acr"])
			assert.NotEmpty(t, claims["sid"])
			assert.EqualValues(t, 1_750_000_000, claims["auth_time"])
			assert.EqualValues(t, 300, claims["exp"].(float64)-claims["iat"].(float64))
			if alg != "EdDSA" {
				sum := sha256.Sum256([]byte(tokens["access_token"].(string)))
				assert.Equal(t, b64.EncodeToString(sum[:16]), claims["at_hash"])
			}
			for _, method := range []string{"GET", "POST"} {
				info := r.do(method, r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"])).json(t)
				assert.Equal(t, "248289761001", info["sub"])
				assert.Equal(t, "anna@example.com", info["email"])
			}
		})
	}
}

func TestGenericMetadata(t *testing.T) {
	r := start(t, oidctest.Config{})
	m := r.do("GET", r.op.URL()+"/.well-known/openid-configuration", nil, nil).json(t)
	assert.Equal(t, r.op.URL(), m["issuer"])
	assert.Equal(t, r.client.TokenEndpoint, m["token_endpoint"])
	assert.Equal(t, true, m["authorization_response_iss_parameter_supported"])

	var set struct{ Keys []map[string]string }
	require.NoError(t, json.Unmarshal(r.op.JWKS(), &set))
	require.Len(t, set.Keys, 9)
	assert.Equal(t, "enc", set.Keys[0]["use"], "the first key is not for signatures")
	for _, k := range set.Keys {
		assert.NotContains(t, k, "d")
	}
}

func TestGenericAuthorizeRefuses(t *testing.T) {
	r := start(t, oidctest.Config{})
	for name, test := range map[string]struct {
		change []string
		code   string // "": a page, nothing is sent to the client
	}{
		"other client":       {[]string{"client_id", "other"}, ""},
		"other redirect_uri": {[]string{"redirect_uri", redirectURI + "/"}, ""},
		"no redirect_uri":    {[]string{"redirect_uri", ""}, ""},
		"unknown pushed":     {[]string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, ""},
		"implicit":           {[]string{"response_type", "token"}, "unsupported_response_type"},
		"no PKCE":            {[]string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		"plain PKCE":         {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"short challenge":    {[]string{"code_challenge", "abc"}, "invalid_request"},
		"unknown mode":       {[]string{"response_mode", "jwt"}, "invalid_request"},
		"bad max_age":        {[]string{"max_age", "-1"}, "invalid_request"},
		"nobody there":       {[]string{"prompt", "none"}, "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.authorize(test.change...)
			if test.code == "" {
				assert.Equal(t, 400, a.status)
				assert.Empty(t, a.header.Get("Location"))
				return
			}
			back := a.location(t)
			assert.Equal(t, test.code, back.Get("error"))
			assert.Equal(t, "the-state", back.Get("state"))
			assert.Equal(t, r.client.Issuer, back.Get("iss"))
			assert.Empty(t, back.Get("code"))
		})
	}
	twice := r.params().Encode() + "&state=other"
	assert.Equal(t, 400, r.do("GET", r.client.AuthorizationEndpoint+"?"+twice, nil, nil).status)
	assert.NotEmpty(t, r.do("POST", r.client.AuthorizationEndpoint, r.params(), nil).location(t).Get("code"), "POST is allowed")
}

// Without openid it is an authorization server of OAuth, and says nothing of anybody.
func TestGenericWithoutOpenID(t *testing.T) {
	r := start(t, oidctest.Config{})
	assert.Equal(t, r.client.Issuer, r.do("GET", r.op.URL()+"/.well-known/oauth-authorization-server", nil, nil).json(t)["issuer"])
	code := r.authorize("scope", "email").location(t).Get("code")
	tokens := r.token(exchange(code), r.basic()).json(t)
	assert.NotEmpty(t, tokens["access_token"])
	assert.NotContains(t, tokens, "id_token")
	a := r.do("GET", r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"]))
	assert.Equal(t, 403, a.status)
	assert.Contains(t, a.header.Get("WWW-Authenticate"), "insufficient_scope")
}

func TestGenericTokenRefuses(t *testing.T) {
	r := start(t, oidctest.Config{})
	raw := base64.StdEncoding.EncodeToString([]byte(r.client.ClientID + ":" + r.client.ClientSecret))
	for name, test := range map[string]struct {
		change []string
		header http.Header
		code   string
	}{
		"no authentication":    {nil, nil, "invalid_client"},
		"raw Basic":            {nil, http.Header{"Authorization": {"Basic " + raw}}, "invalid_client"},
		"two methods":          {[]string{"client_secret", r.client.ClientSecret}, r.basic(), "invalid_client"},
		"other client_id":      {[]string{"client_id", "other"}, r.basic(), "invalid_client"},
		"post instead":         {[]string{"client_id", r.client.ClientID, "client_secret", r.client.ClientSecret}, nil, "invalid_client"},
		"no grant_type":        {[]string{"grant_type", ""}, r.basic(), "invalid_request"},
		"password":             {[]string{"grant_type", "password"}, r.basic(), "unsupported_grant_type"},
		"other code":           {[]string{"code", "x"}, r.basic(), "invalid_grant"},
		"other redirect_uri":   {[]string{"redirect_uri", "http://127.0.0.1:1/other"}, r.basic(), "invalid_grant"},
		"missing redirect_uri": {[]string{"redirect_uri", ""}, r.basic(), "invalid_request"},
		"no verifier":          {[]string{"code_verifier", ""}, r.basic(), "invalid_grant"},
		"other verifier":       {[]string{"code_verifier", strings.Repeat("a", 43)}, r.basic(), "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.token(exchange(r.code(), test.change...), test.header)
			assert.Equal(t, test.code, a.json(t)["error"])
			assert.Equal(t, test.code == "invalid_client", a.status == 401, "%d", a.status)
			assert.NotContains(t, a.json(t), "access_token")
		})
	}
	late := r.code()
	r.clock.Add(time.Minute)
	assert.Equal(t, "invalid_grant", r.token(exchange(late), r.basic()).json(t)["error"], "codes live a minute")
	assert.Equal(t, 405, r.do("GET", r.client.TokenEndpoint, nil, nil).status)
	assert.Equal(t, 400, r.do("POST", r.client.TokenEndpoint+"?x=1", exchange(r.code()), r.basic()).status, "parameters in the URL")
}

func TestGenericCodeOnce(t *testing.T) {
	r := start(t, oidctest.Config{})
	code := r.code()
	tokens := r.token(exchange(code), r.basic()).json(t)
	require.Equal(t, 200, r.do("GET", r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"])).status)
	require.Equal(t, "invalid_grant", r.token(exchange(code), r.basic()).json(t)["error"])
	a := r.do("GET", r.client.UserInfoEndpoint, nil, bearer(tokens["access_token"]))
	assert.Equal(t, 401, a.status, "the tokens of a code used twice are revoked")
	assert.Contains(t, a.header.Get("WWW-Authenticate"), "invalid_token")
	assert.Equal(t, "invalid_grant", r.token(renew(tokens["refresh_token"]), r.basic()).json(t)["error"])
}

func TestGenericRefresh(t *testing.T) {
	r := start(t, oidctest.Config{})
	first := r.tokens()
	r.clock.Add(time.Minute)
	second := r.token(renew(first["refresh_token"]), r.basic()).json(t)
	require.NotEmpty(t, second["refresh_token"])
	assert.NotEqual(t, first["refresh_token"], second["refresh_token"])
	claims := r.verified(second["id_token"], r.op.JWKS())
	assert.NotContains(t, claims, "nonce")
	assert.EqualValues(t, 1_750_000_000, claims["auth_time"], "the login's time, not the refresh's")
	assert.Equal(t, "openid", r.token(renew(second["refresh_token"], "scope", "openid"), r.basic()).json(t)["scope"])

	assert.Equal(t, "invalid_grant", r.token(renew(first["refresh_token"]), r.basic()).json(t)["error"], "spent")
	assert.Equal(t, 401, r.do("GET", r.client.UserInfoEndpoint, nil, bearer(second["access_token"])).status, "the family is revoked")
	assert.Equal(t, "invalid_scope", r.token(renew(r.tokens()["refresh_token"], "scope", "openid admin"), r.basic()).json(t)["error"])
}

func TestGenericClientAuthentication(t *testing.T) {
	assertion := func(r *rp, method string, change map[string]any) string {
		claims := map[string]any{
			"iss": r.client.ClientID, "sub": r.client.ClientID, "aud": r.client.Issuer, "jti": time.Now().String(),
			"iat": 1_750_000_000, "exp": 1_750_000_060,
		}
		for name, value := range change {
			claims[name] = value
		}
		if method == "private_key_jwt" {
			return signed(t, r.client.PrivateKey, map[string]any{"alg": "ES256"}, claims)
		}
		unsigned := signed(t, nil, map[string]any{"alg": "HS256"}, claims)
		mac := hmac.New(sha256.New, []byte(r.client.ClientSecret))
		mac.Write([]byte(strings.TrimSuffix(unsigned, ".")))
		return unsigned + b64.EncodeToString(mac.Sum(nil))
	}
	for _, method := range []string{"private_key_jwt", "client_secret_jwt"} {
		t.Run(method, func(t *testing.T) {
			r := start(t, oidctest.Config{AuthMethod: method})
			try := func(compact string) answer {
				return r.token(exchange(r.code(), "client_assertion", compact,
					"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), nil)
			}
			good := assertion(r, method, nil)
			require.Equal(t, 200, try(good).status)
			assert.Equal(t, "invalid_client", try(good).json(t)["error"], "replayed")
			for name, change := range map[string]map[string]any{
				"iss": {"iss": "x"}, "sub": {"sub": "x"}, "aud": {"aud": "x"}, "two aud": {"aud": []string{r.client.Issuer, "x"}},
				"expired": {"exp": 1_750_000_000}, "too long": {"exp": 1_750_009_000}, "future": {"iat": 1_750_000_001},
				"no exp": {"exp": nil}, "text exp": {"exp": "1750000060"}, "no jti": {"jti": ""},
			} {
				assert.Equal(t, "invalid_client", try(assertion(r, method, change)).json(t)["error"], name)
			}
			tampered := assertion(r, method, nil)
			assert.Equal(t, "invalid_client", try(tampered[:len(tampered)-8] + "AAAAAAAA").json(t)["error"])
		})
	}
	t.Run("client_secret_post", func(t *testing.T) {
		r := start(t, oidctest.Config{AuthMethod: "client_secret_post"})
		assert.Equal(t, 200, r.token(exchange(r.code(), "client_id", r.client.ClientID, "client_secret", r.client.ClientSecret), nil).status)
		assert.Equal(t, 401, r.token(exchange(r.code(), "client_id", r.client.ClientID, "client_secret", "x"), nil).status)
		assert.Equal(t, 401, r.token(exchange(r.code()), r.basic()).status)
	})
	t.Run("none", func(t *testing.T) {
		r := start(t, oidctest.Config{AuthMethod: "none", ClientID: "public"})
		assert.Equal(t, 200, r.token(exchange(r.code(), "client_id", "public"), nil).status)
		assert.Equal(t, 401, r.token(exchange(r.code()), nil).status)
		assert.Empty(t, r.client.ClientSecret)
	})
}

func TestGenericPushed(t *testing.T) {
	r := start(t, oidctest.Config{})
	a := r.do("POST", r.client.PushedEndpoint, r.params(), r.basic())
	require.Equal(t, 201, a.status, "%s", a.body)
	target := r.client.AuthorizationEndpoint + "?" + url.Values{
		"client_id": {r.client.ClientID}, "request_uri": {a.json(t)["request_uri"].(string)},
	}.Encode()
	assert.NotEmpty(t, r.do("GET", target, nil, nil).location(t).Get("code"))
	assert.Equal(t, 400, r.do("GET", target, nil, nil).status, "once")
	assert.Equal(t, 401, r.do("POST", r.client.PushedEndpoint, r.params(), nil).status)
	assert.Equal(t, 400, r.do("POST", r.client.PushedEndpoint, r.params("response_type", "token"), r.basic()).status)
}

func TestGenericSingleSignOn(t *testing.T) {
	r := start(t, oidctest.Config{})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	r.http.Jar = jar
	r.code()
	r.clock.Add(time.Minute)
	silent := r.code("prompt", "none")
	claims := r.verified(r.token(exchange(silent), r.basic()).json(t)["id_token"], r.op.JWKS())
	assert.EqualValues(t, 1_750_000_000, claims["auth_time"])
	assert.Equal(t, "login_required", r.authorize("prompt", "none", "max_age", "59").location(t).Get("error"))
	claims = r.verified(r.tokens("prompt", "login")["id_token"], r.op.JWKS())
	assert.EqualValues(t, 1_750_000_060, claims["auth_time"])
}

func TestGenericLogout(t *testing.T) {
	r := start(t, oidctest.Config{PostLogoutRedirectURIs: []string{"http://127.0.0.1:1/bye"}})
	tokens := r.tokens()
	hint := tokens["id_token"].(string)
	logout := func(change ...string) answer {
		v := alter(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://127.0.0.1:1/bye"}, "state": {"s"}}, change...)
		return r.do("GET", r.client.EndSessionEndpoint+"?"+v.Encode(), nil, nil)
	}
	assert.Equal(t, 400, logout("id_token_hint", hint[:len(hint)-8]+"AAAAAAAA").status)
	assert.Equal(t, 400, logout("post_logout_redirect_uri", "http://127.0.0.1:1/evil").status)
	assert.Equal(t, 400, logout("id_token_hint", "").status, "nobody named")
	tokens = r.tokens()
	hint = tokens["id_token"].(string)
	r.clock.Add(time.Hour) // an expired ID token is a hint too
	a := logout()
	assert.Equal(t, "s", a.location(t).Get("state"))
	assert.Equal(t, "invalid_grant", r.token(renew(tokens["refresh_token"]), r.basic()).json(t)["error"])
}

func TestGenericBackChannelLogout(t *testing.T) {
	var got url.Values
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if assert.NoError(t, q.ParseForm()) {
			got = q.PostForm
		}
	}))
	defer app.Close()
	r := start(t, oidctest.Config{})
	_, err := r.op.BackChannelLogout(t.Context(), "x", "")
	require.Error(t, err, "no URI")
	assert.Empty(t, r.op.FrontChannelLogoutURL("x"))
	r.op.SetLogoutURIs(app.URL, app.URL+"/front")
	tokens := r.tokens()
	session := r.op.Sessions()[0]
	status, err := r.op.BackChannelLogout(t.Context(), session.Subject, session.ID)
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	claims := r.verified(got.Get("logout_token"), r.op.JWKS())
	header, _ := open(t, got.Get("logout_token"))
	assert.Contains(t, string(header), `"typ":"logout+jwt"`)
	assert.Equal(t, session.ID, claims["sid"])
	assert.Equal(t, r.client.ClientID, claims["aud"])
	assert.Contains(t, claims["events"], "http://schemas.openid.net/event/backchannel-logout")
	assert.NotContains(t, claims, "nonce")
	assert.Empty(t, r.op.Sessions())
	assert.Equal(t, 400, r.token(renew(tokens["refresh_token"]), r.basic()).status)
	u, err := url.Parse(r.op.FrontChannelLogoutURL("a b"))
	require.NoError(t, err)
	assert.Equal(t, url.Values{"iss": {r.client.Issuer}, "sid": {"a b"}}, u.Query())
}

func TestGenericRotateKeys(t *testing.T) {
	r := start(t, oidctest.Config{SigningAlg: "ES256"})
	before := r.op.JWKS()
	require.NoError(t, r.op.RotateKeys())
	after := r.do("GET", r.client.JWKSURI, nil, nil).body
	assert.NotEqual(t, before, after)
	r.verified(r.tokens()["id_token"], after)
	hint := r.tokens()["id_token"].(string)
	require.NoError(t, r.op.RotateKeys())
	assert.Equal(t, 200, r.do("GET", r.client.EndSessionEndpoint+"?id_token_hint="+hint, nil, nil).status, "former keys stay good for hints")
}
