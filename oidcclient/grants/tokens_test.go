package grants_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

const bearer = `{"access_token":"at","token_type":"Bearer","expires_in":60,"scope":"api"}`

func TestClientCredentialsAndJWTBearer(t *testing.T) {
	p := newProvider(t)
	p.on("/token", answer{200, bearer})
	want := grants.Request{Scopes: []string{"api", "more"}, Resources: []string{"https://a.example", "https://b.example"}, AuthorizationDetails: `[{"type":"x"}]`}
	token, err := grants.ClientCredentials(t.Context(), p.client(nil), want)
	require.NoError(t, err)
	assert.Equal(t, "at", token.AccessToken)
	sent := url.Values{
		"basic": {"client:secret"}, "grant_type": {"client_credentials"}, "scope": {"api more"},
		"resource": {"https://a.example", "https://b.example"}, "authorization_details": {`[{"type":"x"}]`},
	}
	assert.Equal(t, sent, p.sent["/token"][0])

	_, err = grants.JWTBearer(t.Context(), p.client(nil), "a.b.c", grants.Request{})
	require.NoError(t, err)
	assert.Equal(t, url.Values{"basic": {"client:secret"}, "grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"a.b.c"}}, p.sent["/token"][1])
}

func TestExchange(t *testing.T) {
	p := newProvider(t)
	p.on("/token", answer{200, `{"access_token":"new","token_type":"Bearer","issued_token_type":"` + grants.TypeAccessToken + `"}`})
	e := grants.Exchange{
		SubjectToken: "st", SubjectType: grants.TypeAccessToken, ActorToken: "act", ActorType: grants.TypeJWT, Audience: []string{"a", "b"}, Want: grants.TypeAccessToken,
	}
	got, err := grants.ExchangeToken(t.Context(), p.client(nil), e)
	require.NoError(t, err)
	assert.Equal(t, "new", got.Token.AccessToken)
	assert.Equal(t, grants.TypeAccessToken, got.Type)
	assert.Equal(t, url.Values{
		"basic": {"client:secret"}, "grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {"st"}, "subject_token_type": {grants.TypeAccessToken},
		"actor_token": {"act"}, "actor_token_type": {grants.TypeJWT}, "requested_token_type": {grants.TypeAccessToken}, "audience": {"a", "b"},
	}, p.sent["/token"][0])

	for name, body := range map[string]string{
		"no type":      `{"access_token":"new","token_type":"Bearer"}`,
		"another type": `{"access_token":"new","token_type":"Bearer","issued_token_type":"` + grants.TypeJWT + `"}`,
		"a number":     `{"access_token":"new","token_type":"Bearer","issued_token_type":1}`,
	} {
		p.on("/token", answer{200, body})
		_, err := grants.ExchangeToken(t.Context(), p.client(nil), e)
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, "issued_token_type", refused.Check)
	}
	// What is no access token has no type of one (RFC 8693 §2.2.1).
	idToken := grants.Exchange{SubjectToken: "st", SubjectType: grants.TypeAccessToken, Want: grants.TypeIDToken}
	p.on("/token", answer{200, `{"access_token":"a.b.c","token_type":"N_A","issued_token_type":"` + grants.TypeIDToken + `"}`})
	got, err = grants.ExchangeToken(t.Context(), p.client(nil), idToken)
	require.NoError(t, err)
	assert.Equal(t, []string{"a.b.c", "N_A", grants.TypeIDToken}, []string{got.Token.AccessToken, got.Token.TokenType, got.Type})
	p.on("/token", answer{200, `{"access_token":"new","token_type":"N_A","issued_token_type":"` + grants.TypeAccessToken + `"}`})
	var refused *oidcclient.Error
	_, err = grants.ExchangeToken(t.Context(), p.client(nil), e)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "token_type", refused.Check, "an access token has one")
	_, err = grants.ClientCredentials(t.Context(), p.client(nil), grants.Request{})
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "token_type", refused.Check, "and only an exchange gives something else")
	p.on("/token", refusal("invalid_target"))
	_, err = grants.ExchangeToken(t.Context(), p.client(nil), e)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "invalid_target", refused.Code)
	p.on("/token", answer{200, `{"access_token":"new","token_type":"Bearer"}`})
	_, err = grants.ExchangeToken(t.Context(), p.client(nil), grants.Exchange{SubjectToken: "st", SubjectType: grants.TypeAccessToken})
	assert.ErrorContains(t, err, "issued_token_type", "also where any type would do")
	before := len(p.sent["/token"])
	for _, bad := range []grants.Exchange{{}, {SubjectToken: "x"}, {SubjectToken: "x", SubjectType: "y", ActorToken: "z"}} {
		_, err := grants.ExchangeToken(t.Context(), p.client(nil), bad)
		assert.Error(t, err)
	}
	assert.Len(t, p.sent["/token"], before)
}

func TestRevoke(t *testing.T) {
	p := newProvider(t)
	p.on("/revoke", answer{200, ""}, answer{200, "{}"}, answer{200, "<p>done"}, refusal("unsupported_token_type"), answer{503, ""})
	c := p.client(nil)
	require.NoError(t, grants.Revoke(t.Context(), c, "rt", grants.HintRefreshToken))
	assert.Equal(t, url.Values{"basic": {"client:secret"}, "token": {"rt"}, "token_type_hint": {"refresh_token"}}, p.sent["/revoke"][0])
	require.NoError(t, grants.Revoke(t.Context(), c, "at", ""))
	require.NoError(t, grants.Revoke(t.Context(), c, "at", ""), "whatever the body is")
	var e *oidcclient.Error
	require.ErrorAs(t, grants.Revoke(t.Context(), c, "at", ""), &e)
	assert.Equal(t, "unsupported_token_type", e.Code)
	require.ErrorAs(t, grants.Revoke(t.Context(), c, "at", ""), &e)
	assert.True(t, e.Retryable())
}

func TestIntrospect(t *testing.T) {
	p := newProvider(t)
	c := p.client(nil)
	p.on("/introspect", answer{200, `{"active":true,"scope":"a b","client_id":"x","username":"anna","token_type":"Bearer","iss":"i","sub":"s","aud":["u","v"],"exp":1700000000,"iat":1600000000.5,"nbf":1,"more":{"y":1}}`})
	i, err := grants.Introspect(t.Context(), c, "at", grants.HintAccessToken)
	require.NoError(t, err)
	assert.True(t, i.Active)
	assert.Equal(t, []string{"a b", "x", "anna", "Bearer", "i", "s"}, []string{i.Scope, i.ClientID, i.Username, i.TokenType, i.Issuer, i.Subject})
	assert.Equal(t, []string{"u", "v"}, i.Audience)
	assert.Equal(t, time.Unix(1700000000, 0).UTC(), i.ExpiresAt)
	assert.Equal(t, time.Unix(1600000000, 0).UTC(), i.IssuedAt)
	var more struct {
		More map[string]int `json:"more"`
	}
	require.NoError(t, i.Claims(&more))
	assert.Equal(t, 1, more.More["y"])

	p.on("/introspect", answer{200, `{"active":false,"sub":"s"}`})
	i, err = grants.Introspect(t.Context(), c, "at", "")
	require.NoError(t, err)
	assert.False(t, i.Active)
	assert.Empty(t, i.Subject, "of a token that is not active nothing is known")

	for _, body := range []string{
		`{}`, `{"active":"true"}`, `{"Active":true}`, `{"active":true,"active":false}`, `{"active":true,"sub":1}`, `{"active":true,"exp":"x"}`, `{"active":true,"aud":1}`, `[]`, ``,
	} {
		p.on("/introspect", answer{200, body})
		_, err := grants.Introspect(t.Context(), c, "at", "")
		assert.Error(t, err, body)
	}
}

// Where signed answers about tokens were agreed, another one is refused (RFC 9701).
func TestSignedIntrospection(t *testing.T) {
	p := newProvider(t)
	c := p.client(func(c *oidcclient.Config) { c.IntrospectionAlgorithm = "ES256" })
	about := map[string]any{"active": true, "sub": "anna", "scope": "api"}
	signed := func(claims map[string]any) answer {
		all := map[string]any{"iss": issuer, "aud": "client", "iat": p.clock.now().Unix(), "token_introspection": about}
		maps.Copy(all, claims)
		return answer{200, p.sign(`{"alg":"ES256","kid":"k","typ":"token-introspection+jwt"}`, all)}
	}
	p.kind = "application/token-introspection+jwt"
	p.on("/introspect", signed(nil))
	got, err := grants.Introspect(t.Context(), c, "token", grants.HintAccessToken)
	require.NoError(t, err)
	assert.True(t, got.Active)
	assert.Equal(t, "anna", got.Subject)
	assert.Equal(t, "application/token-introspection+jwt", p.accepted["/introspect"])

	for name, tt := range map[string]struct {
		kind  string
		body  answer
		check string
	}{
		"plain":            {"application/json", answer{200, `{"active":true}`}, "introspection signature"},
		"called plain":     {"application/json", signed(nil), "introspection signature"},
		"another issuer":   {p.kind, signed(map[string]any{"iss": issuer + "1"}), "iss"},
		"another audience": {p.kind, signed(map[string]any{"aud": "client1"}), "aud"},
		"nothing about it": {p.kind, signed(map[string]any{"token_introspection": 1}), "shape"},
	} {
		p.kind = tt.kind
		p.on("/introspect", tt.body)
		_, err := grants.Introspect(t.Context(), c, "token", "")
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, tt.check, refused.Check, name)
	}
}

// Where it was agreed, all parameters of a request are in a signed one (OpenID Connect
// CIBA Core §7.1.1).
func TestSignedBackchannelRequest(t *testing.T) {
	p := newProvider(t)
	p.on("/bc", answer{200, `{"auth_req_id":"req-1","expires_in":60}`})
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := p.client(func(c *oidcclient.Config) {
		c.Key, c.BackchannelAlgorithm = &assertion.Key{Signer: key, ID: "ours"}, "ES256"
	})
	_, err = grants.BeginBackchannel(t.Context(), c, grants.BackchannelRequest{
		Request: grants.Request{Scopes: []string{"openid"}}, LoginHint: "anna", BindingMessage: "W4SCT", RequestedExpiry: time.Minute, Clock: p.clock.now,
	})
	require.NoError(t, err)
	sent := p.sent["/bc"][0]
	assert.Equal(t, "client:secret", sent.Get("basic"), "the client's authentication is not in it")
	for _, name := range []string{"scope", "login_hint", "binding_message", "requested_expiry"} {
		assert.NotContains(t, sent, name)
	}
	parts := strings.Split(sent.Get("request"), ".")
	require.Len(t, parts, 3)
	signature, err := jose.Decode(parts[2])
	require.NoError(t, err)
	require.NoError(t, jose.Verify("ES256", key.Public(), parts[0]+"."+parts[1], signature))
	payload, err := jose.Decode(parts[1])
	require.NoError(t, err)
	claims := map[string]any{}
	require.NoError(t, json.Unmarshal(payload, &claims))
	now := float64(p.clock.now().Unix())
	assert.NotEmpty(t, claims["jti"])
	delete(claims, "jti")
	assert.Equal(t, map[string]any{
		"iss": "client", "aud": issuer, "iat": now, "nbf": now, "exp": now + 60,
		"scope": "openid", "login_hint": "anna", "binding_message": "W4SCT", "requested_expiry": "60",
	}, claims)

	_, err = oidcclient.New(oidcclient.Config{
		Profile: oidcclient.Profile{Name: "test"}, Issuer: issuer, ClientID: "client", ClientSecret: "secret",
		Key: &assertion.Key{Signer: key}, BackchannelAlgorithm: "PS256",
	})
	var wrong *oidcclient.ConfigError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, "BackchannelAlgorithm", wrong.Field)
}
