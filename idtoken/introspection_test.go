package idtoken

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerifyIntrospection(t *testing.T) {
	now := testNow.Unix()
	about := map[string]any{"active": true, "sub": "somebody", "iss": "https://elsewhere.example", "exp": now - 600}
	answer := func(pairs ...any) members {
		return with(members{"iss": testIssuer, "aud": testClient, "iat": now, "token_introspection": about}, pairs...)
	}
	v := testVerifier(t, nil)
	for name, tt := range map[string]struct {
		claims  members
		header  members
		refused Check
	}{
		"good":             {answer(), nil, 0},
		"of an old token":  {answer("exp", now+60), nil, 0},
		"whole media type": {answer(), members{"typ": "application/token-introspection+jwt"}, 0},
		"typ JWT":          {answer(), members{"typ": "JWT"}, CheckHeader},
		"no typ":           {answer(), members{"typ": nil}, CheckHeader},
		"none":             {answer(), members{"alg": "none"}, CheckHeader},
		"no issuer":        {answer("iss", nil), nil, CheckIssuer},
		"another issuer":   {answer("iss", testIssuer+"1"), nil, CheckIssuer},
		"no audience":      {answer("aud", nil), nil, CheckAudience},
		"another audience": {answer("aud", testClient+"1"), nil, CheckAudience},
		"no iat":           {answer("iat", nil), nil, CheckIssuedAt},
		"iat ahead":        {answer("iat", now+31), nil, CheckIssuedAt},
		"not yet":          {answer("nbf", now+31), nil, CheckNotBefore},
		"expired":          {answer("exp", now-31), nil, CheckExpiry},
		"nothing about it": {answer("token_introspection", nil), nil, CheckShape},
		"a text about it":  {answer("token_introspection", "active"), nil, CheckShape},
	} {
		header := goodHeader()
		header["typ"] = "token-introspection+jwt"
		for name, value := range tt.header {
			if header[name] = value; value == nil {
				delete(header, name)
			}
		}
		got, err := v.VerifyIntrospection(t.Context(), signed(t, header, tt.claims))
		if tt.refused == 0 {
			require.NoError(t, err, name)
			want, err := json.Marshal(about)
			require.NoError(t, err)
			assert.JSONEq(t, string(want), string(got), name)
			continue
		}
		var refused *Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, tt.refused, refused.Check, name)
		assert.Nil(t, got)
	}
	header := goodHeader()
	header["typ"] = "token-introspection+jwt"
	good := signed(t, header, answer())
	_, err := v.VerifyIntrospection(t.Context(), good[:len(good)-4]+"AAAA")
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, CheckSignature, refused.Check)
	_, err = v.Verify(t.Context(), good, Expect{})
	require.ErrorAs(t, err, &refused, "it is no ID token")
	assert.Equal(t, CheckHeader, refused.Check)
}

// FuzzVerifySigned takes what the holder of the key signs, as authorization responses
// (JARM) and as answers about tokens.
func FuzzVerifySigned(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"https://op.example","aud":"client","exp":2000000000,"iat":1,"code":"c","state":"s"}`,
		`{"iss":1,"aud":[],"token_introspection":{"active":true}}`, `{"token_introspection":[]}`, `{"a":-}`, `[]`, ``, `{"expires_in":1e9}`, `{"x":""}`,
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, claims string, introspection bool) {
		v := testVerifier(t, nil)
		header := goodHeader()
		if introspection {
			header["typ"] = "token-introspection+jwt"
		}
		raw := signText(t, testKey(), "ES256", toJSON(t, header), claims)
		if values, err := v.VerifyResponse(t.Context(), raw); err == nil {
			require.Equal(t, testIssuer, values.Get("iss"))
		}
		if about, err := v.VerifyIntrospection(t.Context(), raw); err == nil {
			require.True(t, introspection)
			require.True(t, json.Valid(about))
		}
	})
}
