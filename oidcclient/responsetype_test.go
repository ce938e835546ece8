package oidcclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

func halfHash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// everyType lists the response types with the order of their words.
func everyType() []string {
	return []string{"code", "code id_token", "code token", "code id_token token", "id_token", "id_token token"}
}

func TestResponseTypeOf(t *testing.T) {
	for text, want := range map[string]string{
		"": "code", "id_token code": "code id_token", "token code": "code token", "token id_token code": "code id_token token", "token  id_token": "id_token token",
	} {
		got, ok := responseTypeOf(text)
		assert.True(t, ok)
		assert.Equal(t, want, got.name)
	}
	for _, name := range everyType() {
		got, ok := responseTypeOf(name)
		assert.True(t, ok)
		assert.Equal(t, name, got.name)
	}
}

// frontRig is a client, a login that it has begun, and the answer to it in the order
// of a provider that does everything right.
type frontRig struct {
	c       *Client
	network *pushing
	pending *Pending
	asked   url.Values
	key     *ecdsa.PrivateKey
	values  url.Values
}

func newFrontRig(t *testing.T, change func(*Config)) *frontRig {
	t.Helper()
	r := &frontRig{network: &pushing{status: 200, kind: "application/json"}, values: url.Values{}}
	var err error
	r.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: r.key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	r.c = staticClient(t, func(c *Config) {
		c.Keys, c.Algorithm, c.HTTPClient = keys, "ES256", r.network.client()
		c.Provider.UserInfoEndpoint = "https://op.example/userinfo"
		change(c)
	})
	auth, pending, err := r.c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	u, err := url.Parse(auth.URL)
	require.NoError(t, err)
	r.pending, r.asked = pending, u.Query()
	kind := r.c.cfg.responseType()
	r.values.Set("state", pending.State())
	front := map[string]any{}
	if kind.code {
		r.values.Set("code", "the-code")
		front["c_hash"] = halfHash("the-code")
	}
	if kind.accessToken {
		r.values.Set("access_token", "front")
		r.values.Set("token_type", "bEARER")
		r.values.Set("expires_in", "60")
		front["at_hash"] = halfHash("front")
	}
	if kind.idToken {
		r.values.Set("id_token", r.token(t, front))
	}
	body, err := json.Marshal(map[string]any{"access_token": "back", "token_type": "Bearer", "id_token": r.token(t, nil)})
	require.NoError(t, err)
	r.network.body = string(body)
	return r
}

// token is an ID token for the login with these claims more, or less where one is nil.
func (r *frontRig) token(t *testing.T, more map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://op.example", "aud": "client", "sub": "anna", "iat": testNow.Unix(), "exp": testNow.Unix() + 60, "nonce": r.pending.data.Nonce,
	}
	maps.Copy(claims, more)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return signing(t, r.key, claims)
}

func TestEveryResponseType(t *testing.T) {
	for _, name := range everyType() {
		t.Run(name, func(t *testing.T) {
			r := newFrontRig(t, func(c *Config) { c.ResponseType = name })
			assert.Equal(t, name, r.asked.Get("response_type"))
			assert.Equal(t, r.c.cfg.responseType().code, r.asked.Has("code_challenge"))
			assert.Equal(t, name != "code", r.pending.InFragment())
			r.values.Set("session_state", "state.of.it")
			session, err := r.c.Complete(t.Context(), r.pending, r.values)
			require.NoError(t, err)
			assert.Equal(t, "anna", session.Subject())
			assert.Equal(t, "state.of.it", session.SessionState())
			want := map[string]string{"id_token": "", "id_token token": "front"}
			token, implicit := want[name]
			if !implicit {
				token = "back"
			}
			assert.Equal(t, token, session.Token().AccessToken, "the token endpoint's counts where there is one")
			assert.Equal(t, name == "id_token token", session.FrontChannelToken())
			assert.Len(t, r.network.sent, map[bool]int{true: 0, false: 1}[implicit])
			deviates := slices.ContainsFunc(r.c.Deviations(), func(d Deviation) bool { return d.Rule == RuleFrontChannelToken })
			assert.Equal(t, strings.HasSuffix(name, " token"), deviates)
			sealer, err := NewSealer(make([]byte, SealerKeySize))
			require.NoError(t, err)
			sealed, err := sealer.SealSession(session)
			require.NoError(t, err)
			opened, err := sealer.OpenSession(sealed)
			require.NoError(t, err)
			assert.Equal(t, session.FrontChannelToken(), opened.FrontChannelToken())
			assert.Equal(t, session.SessionState(), opened.SessionState())
			if token == "" {
				_, err = r.c.UserInfo(t.Context(), session)
				assert.ErrorContains(t, err, "no access token")
			}
		})
	}
}

// What is missing, too much or wrong in an answer of each response type.
func TestEveryResponseTypeRefuses(t *testing.T) {
	for _, name := range everyType() {
		kind, _ := responseTypeOf(name)
		for fault, tt := range map[string]struct {
			applies bool
			spoil   func(*testing.T, *frontRig)
			check   string
		}{
			"no code":                {kind.code, func(_ *testing.T, r *frontRig) { r.values.Del("code") }, "code"},
			"no ID token":            {kind.idToken, func(_ *testing.T, r *frontRig) { r.values.Del("id_token") }, "id_token"},
			"no access token":        {kind.accessToken, func(_ *testing.T, r *frontRig) { r.values.Del("access_token") }, "access_token"},
			"a code":                 {!kind.code, func(_ *testing.T, r *frontRig) { r.values.Set("code", "c") }, "parameters"},
			"an ID token":            {!kind.idToken, func(t *testing.T, r *frontRig) { r.values.Set("id_token", r.token(t, nil)) }, "parameters"},
			"an access token":        {!kind.accessToken, func(_ *testing.T, r *frontRig) { r.values.Set("access_token", "x") }, "parameters"},
			"no c_hash":              {kind.code && kind.idToken, spoilToken("c_hash", nil), "c_hash"},
			"another c_hash":         {kind.code && kind.idToken, spoilToken("c_hash", halfHash("the-code")+"1"), "c_hash"},
			"no at_hash":             {kind.accessToken && kind.idToken, spoilToken("at_hash", nil), "at_hash"},
			"another at_hash":        {kind.accessToken && kind.idToken, spoilToken("at_hash", halfHash("front")+"1"), "at_hash"},
			"another s_hash":         {kind.idToken, spoilToken("s_hash", halfHash("x")), "s_hash"},
			"another nonce":          {kind.idToken, spoilToken("nonce", "x"), "nonce"},
			"no nonce":               {kind.idToken, spoilToken("nonce", nil), "nonce"},
			"another audience":       {kind.idToken, spoilToken("aud", "client1"), "aud"},
			"issued long ago":        {kind.idToken, spoilToken("iat", testNow.Unix()-3600), "iat"},
			"a bound token":          {kind.accessToken && !kind.code, func(_ *testing.T, r *frontRig) { r.values.Set("token_type", "DPoP") }, "token_type"},
			"a token of no type":     {kind.accessToken && !kind.code, func(_ *testing.T, r *frontRig) { r.values.Set("token_type", "N_A") }, "token_type"},
			"another token type":     {kind.accessToken && !kind.code, func(_ *testing.T, r *frontRig) { r.values.Set("token_type", "mac") }, "token_type"},
			"a low acr":              {kind.idToken && !kind.code, spoilToken("acr", "low"), "acr"},
			"a very long lifetime":   {kind.accessToken && !kind.code, func(_ *testing.T, r *frontRig) { r.values.Set("expires_in", "x") }, ""},
			"a swapped access token": {kind.accessToken && kind.idToken, func(_ *testing.T, r *frontRig) { r.values.Set("access_token", "other") }, "at_hash"},
		} {
			if !tt.applies {
				continue
			}
			t.Run(name+" "+fault, func(t *testing.T) {
				r := newFrontRig(t, func(c *Config) {
					c.ResponseType = name
					if fault == "a low acr" {
						c.MinACR = "high"
					}
				})
				tt.spoil(t, r)
				_, err := r.c.Complete(t.Context(), r.pending, r.values)
				var refused *Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, StepCallback, refused.Step)
				assert.Equal(t, FaultAnswer, refused.Fault)
				assert.Equal(t, tt.check, refused.Check)
				assert.Empty(t, r.network.sent, "no code was sent")
			})
		}
	}
}

// spoilToken signs the ID token of the answer anew, with another claim.
func spoilToken(name string, value any) func(*testing.T, *frontRig) {
	return func(t *testing.T, r *frontRig) {
		claims := map[string]any{}
		if r.values.Has("code") {
			claims["c_hash"] = halfHash("the-code")
		}
		if r.values.Has("access_token") {
			claims["at_hash"] = halfHash("front")
		}
		claims[name] = value
		r.values.Set("id_token", r.token(t, claims))
	}
}

// A login that was begun with another response type can't be completed.
func TestResponseTypeChanged(t *testing.T) {
	r := newFrontRig(t, func(c *Config) { c.ResponseType = "code id_token" })
	other := newFrontRig(t, func(c *Config) { c.ResponseType = "id_token" })
	_, err := other.c.Complete(t.Context(), r.pending, r.values)
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "response_mode", refused.Check)
}

// The ID token that comes with the code is judged before the code is sent, and the
// one of the token endpoint against it.
func TestHybrid(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		front map[string]any // changes to the ID token that comes with the code
		back  map[string]any // and to that of the token endpoint
		query url.Values     // and to the parameters
		check string
		sent  bool // the code was sent
	}{
		"good":                   {sent: true},
		"s_hash too":             {front: map[string]any{"s_hash": "right"}, sent: true},
		"no c_hash":              {front: map[string]any{"c_hash": nil}, check: "c_hash"},
		"wrong c_hash":           {front: map[string]any{"c_hash": halfHash("the-code") + "1"}, check: "c_hash"},
		"another code's c_hash":  {front: map[string]any{"c_hash": halfHash("another")}, check: "c_hash"},
		"wrong s_hash":           {front: map[string]any{"s_hash": halfHash("another")}, check: "s_hash"},
		"wrong issuer in front":  {front: map[string]any{"iss": "https://op.example1"}, check: "iss"},
		"wrong audience":         {front: map[string]any{"aud": "client1"}, check: "aud"},
		"wrong nonce":            {front: map[string]any{"nonce": "x"}, check: "nonce"},
		"no nonce":               {front: map[string]any{"nonce": nil}, check: "nonce"},
		"no sub":                 {front: map[string]any{"sub": nil}, check: "sub"},
		"expired":                {front: map[string]any{"exp": testNow.Unix() - 600}, check: "exp"},
		"a week old":             {front: map[string]any{"iat": testNow.Unix() - 7*86400}, check: "iat"},
		"no ID token in front":   {query: url.Values{"id_token": nil, "iss": {"https://op.example"}}, check: "id_token"},
		"neither token nor iss":  {query: url.Values{"id_token": nil}, check: "iss"},
		"another iss beside it":  {query: url.Values{"iss": {"https://op.example1"}}, check: "iss"},
		"not signed":             {query: url.Values{"id_token": {"a.b.c"}}, check: "shape"},
		"an access token beside": {query: url.Values{"access_token": {"at"}}, check: "parameters"},
		"somebody else behind":   {back: map[string]any{"sub": "bo"}, check: "sub", sent: true},
		"another nonce behind":   {back: map[string]any{"nonce": "x"}, check: "nonce", sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			network := &pushing{status: 200, kind: "application/json"}
			c := staticClient(t, func(c *Config) {
				c.ResponseType, c.Keys, c.Algorithm, c.HTTPClient = "code id_token", keys, "ES256", network.client()
				c.Provider.ResponseIssuerSupported = true
			})
			auth, pending, err := c.Begin(t.Context(), BeginOptions{})
			require.NoError(t, err)
			asked, err := url.Parse(auth.URL)
			require.NoError(t, err)
			assert.Equal(t, "code id_token", asked.Query().Get("response_type"))
			assert.False(t, asked.Query().Has("response_mode"), "fragment is what it is without")
			assert.Equal(t, "fragment", pending.ResponseMode())
			token := func(more ...map[string]any) string {
				claims := map[string]any{
					"iss": "https://op.example", "aud": "client", "sub": "anna", "iat": testNow.Unix(), "exp": testNow.Unix() + 60, "nonce": pending.data.Nonce,
				}
				for _, change := range more {
					maps.Copy(claims, change)
				}
				if claims["s_hash"] == "right" {
					claims["s_hash"] = halfHash(pending.State())
				}
				maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
				return signing(t, key, claims)
			}
			body, err := json.Marshal(map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token(tt.back)})
			require.NoError(t, err)
			network.body = string(body)
			values := url.Values{"code": {"the-code"}, "state": {pending.State()}, "id_token": {token(map[string]any{"c_hash": halfHash("the-code")}, tt.front)}}
			maps.Copy(values, tt.query)
			maps.DeleteFunc(values, func(_ string, v []string) bool { return v == nil })
			session, err := c.Complete(t.Context(), pending, values)
			assert.Equal(t, tt.sent, len(network.sent) == 1)
			if tt.check == "" {
				require.NoError(t, err)
				assert.Equal(t, "anna", session.Subject())
				return
			}
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.check, refused.Check)
		})
	}
	c := staticClient(t, func(c *Config) { c.Keys, c.Algorithm = keys, "ES256" })
	_, pending, err := c.Begin(t.Context(), BeginOptions{})
	require.NoError(t, err)
	_, err = c.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}, "id_token": {"x"}})
	assert.ErrorContains(t, err, "not asked for")
	for name, change := range map[string]func(*Config){
		"in a query":          func(c *Config) { c.ResponseMode = "query" },
		"in a signed one":     func(c *Config) { c.ResponseMode = "query.jwt" },
		"implicit in a query": func(c *Config) { c.ResponseType, c.ResponseMode = "id_token", "query" },
		"only a token":        func(c *Config) { c.ResponseType = "token" },
		"nothing":             func(c *Config) { c.ResponseType = "none" },
		"a word twice":        func(c *Config) { c.ResponseType = "code code" },
		"an unknown word":     func(c *Config) { c.ResponseType = "code id_tokens" },
		"no token for it":     func(c *Config) { c.ResponseType, c.UserInfo = "id_token", true },
		"a bound token":       func(c *Config) { c.ResponseType, c.DPoP = "code token", true },
		"another mode":        func(c *Config) { c.ResponseMode = "web_message" },
		"without a nonce":     func(c *Config) { c.Profile.Deviations = []Deviation{{RuleNonce, "x", "x"}} },
	} {
		config := Config{
			Profile: Profile{Name: "test", Scopes: []string{"openid"}}, Issuer: "https://op.example", ClientID: "client", ClientSecret: "secret",
			RedirectURI: "https://rp.example/cb", ResponseType: "code id_token",
		}
		change(&config)
		_, err := New(config)
		var wrong *ConfigError
		assert.ErrorAs(t, err, &wrong, name)
	}
}
