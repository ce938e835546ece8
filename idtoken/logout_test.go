package idtoken

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func goodLogout() members {
	return members{
		"iss": testIssuer, "aud": testClient, "iat": testNow.Unix(), "exp": testNow.Unix() + 120, "jti": "j", "sid": "s", "sub": "anna",
		"events": members{logoutEvent: members{}},
	}
}

func TestVerifyLogoutToken(t *testing.T) {
	now := testNow.Unix()
	claims := func(pairs ...any) members { return with(goodLogout(), pairs...) }
	tests := map[string]struct {
		claims  members
		typ     any
		refused Check
	}{
		"good":               {goodLogout(), "logout+jwt", 0},
		"typ JWT":            {goodLogout(), "JWT", 0},
		"no typ":             {goodLogout(), nil, 0},
		"only sid":           {claims("sub", nil), nil, 0},
		"only sub":           {claims("sid", nil), nil, 0},
		"no exp, young":      {claims("exp", nil), nil, 0},
		"unknown members":    {claims("x", 1), nil, 0},
		"access token":       {goodLogout(), "at+jwt", CheckHeader},
		"another issuer":     {claims("iss", "https://evil.example"), nil, CheckIssuer},
		"another audience":   {claims("aud", testClient+"INVALID"), nil, CheckAudience},
		"expired":            {claims("exp", now-31), nil, CheckExpiry},
		"issued ahead":       {claims("iat", now+31), nil, CheckIssuedAt},
		"no iat":             {claims("iat", nil), nil, CheckIssuedAt},
		"no exp, old":        {claims("exp", nil, "iat", now-151), nil, CheckIssuedAt},
		"no events":          {claims("events", nil), nil, CheckEvent},
		"another event":      {claims("events", members{"x": members{}}), nil, CheckEvent},
		"event not object":   {claims("events", members{logoutEvent: true}), nil, CheckEvent},
		"events not object":  {claims("events", []string{logoutEvent}), nil, CheckEvent},
		"nonce":              {claims("nonce", "n"), nil, CheckNonce},
		"nonce null":         {claims("nonce", json.RawMessage("null")), nil, CheckNonce},
		"no jti":             {claims("jti", nil), nil, CheckExtra},
		"neither sub nor id": {claims("sub", nil, "sid", nil), nil, CheckSubject},
		"sid number":         {claims("sid", 1), nil, CheckSubject},
		"sub number":         {claims("sub", 1), nil, CheckSubject},
		"an ID token":        {with(goodClaims(), "nonce", nil), nil, CheckEvent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			raw := signed(t, with(goodHeader(), "typ", tt.typ), tt.claims)
			token, err := testVerifier(t, nil).VerifyLogoutToken(t.Context(), raw)
			if tt.refused == 0 {
				require.NoError(t, err)
				assert.Equal(t, "j", token.JWTID())
				assert.True(t, token.Expiry().After(testNow))
				return
			}
			assert.Nil(t, token)
			var refusal *Error
			require.True(t, errors.As(err, &refusal), "%v", err)
			assert.Equal(t, tt.refused.String(), refusal.Check.String(), refusal.Reason)
		})
	}
}

func TestVerifyUserInfo(t *testing.T) {
	good := members{"iss": "https://userinfo.example", "aud": testClient, "sub": "anna", "name": "Anna"}
	claims := func(pairs ...any) members { return with(good, pairs...) }
	for name, tt := range map[string]struct {
		claims  members
		refused Check
	}{
		"good":             {good, 0},
		"without aud":      {claims("aud", nil), 0},
		"with times":       {claims("exp", testNow.Unix()+1, "iat", testNow.Unix(), "nbf", testNow.Unix()), 0},
		"issuer itself":    {claims("iss", testIssuer), 0},
		"another issuer":   {claims("iss", "https://evil.example"), CheckIssuer},
		"no issuer":        {claims("iss", nil), CheckIssuer},
		"another audience": {claims("aud", "other"), CheckAudience},
		"expired":          {claims("exp", testNow.Unix()-31), CheckExpiry},
		"not yet":          {claims("nbf", testNow.Unix()+31), CheckNotBefore},
		"from the future":  {claims("iat", testNow.Unix()+31), CheckIssuedAt},
		"another subject":  {claims("sub", "bert"), CheckSubject},
		"no subject":       {claims("sub", nil), CheckSubject},
	} {
		raw := signed(t, goodHeader(), tt.claims)
		info, err := testVerifier(t, nil).VerifyUserInfo(t.Context(), raw, UserInfoExpect{
			Issuers: []string{testIssuer, "https://userinfo.example"}, Subject: "anna",
		})
		if tt.refused == 0 {
			require.NoError(t, err, name)
			var into struct{ Name string }
			require.NoError(t, info.Claims(&into))
			continue
		}
		var refusal *Error
		require.True(t, errors.As(err, &refusal), "%s: %v", name, err)
		assert.Equal(t, tt.refused.String(), refusal.Check.String(), name)
	}
	_, err := testVerifier(t, nil).VerifyUserInfo(t.Context(), signed(t, goodHeader(), claims("sub", "")), UserInfoExpect{Issuers: []string{"https://userinfo.example"}})
	assert.Error(t, err, "an empty expectation is met by nothing")
}

func TestLegacyIdentity(t *testing.T) {
	keys, err := PinnedPublicKeys(testKey().Public())
	require.NoError(t, err)
	v, err := NewLegacyVerifier(LegacyConfig{Issuer: testIssuer, Keys: keys})
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), signed(t, goodHeader(), members{"openid": "a"}))
	assert.ErrorContains(t, err, "header", "RS256 only")

	v.config.Keys = confirming{}
	raw := func(claims members) string {
		return signText(t, testKey(), "ES256", `{"alg":"RS256"}`, toJSON(t, claims))
	}
	identity, err := v.Verify(t.Context(), raw(members{"openid": "a", "email": "a@example.org", "changing": 1}))
	require.NoError(t, err)
	assert.True(t, identity.SignatureVerified())
	assert.Equal(t, identity.ReceivedAt().Add(legacyUse), identity.UseBefore())
	stored, err := identity.Store()
	require.NoError(t, err)
	restored, err := RestoreLegacy(stored)
	require.NoError(t, err)
	assert.Equal(t, identity, restored)
	_, err = RestoreLegacy([]byte(`{}`))
	assert.Error(t, err)

	for name, config := range map[string]LegacyConfig{
		"no issuer":          {Keys: keys},
		"no key":             {Issuer: testIssuer},
		"half a declaration": {Issuer: testIssuer, InsecureAcceptUnverified: true},
		"the other half":     {Issuer: testIssuer, UnverifiedReason: "reason"},
		"key and reason":     {Issuer: testIssuer, Keys: keys, UnverifiedReason: "reason"},
		"key and acceptance": {Issuer: testIssuer, Keys: keys, InsecureAcceptUnverified: true},
	} {
		_, err := NewLegacyVerifier(config)
		assert.Error(t, err, name)
	}

	for name, tt := range map[string]struct {
		claims  members
		refused Check
	}{
		"issuer":        {members{"openid": "a", "iss": testIssuer}, CheckIssuer},
		"audience":      {members{"openid": "a", "aud": testClient}, CheckIssuer},
		"no subject":    {members{"email": "a"}, CheckSubject},
		"empty subject": {members{"openid": ""}, CheckSubject},
		"other case":    {members{"OpenID": "a"}, CheckSubject},
		"number":        {members{"openid": 1}, CheckSubject},
	} {
		_, err := v.Verify(t.Context(), raw(tt.claims))
		var refusal *Error
		require.True(t, errors.As(err, &refusal), name)
		assert.Equal(t, tt.refused, refusal.Check, name)
	}
}

func TestVerifyClaims(t *testing.T) {
	good := members{"iss": testIssuer, "sub": "somebody", "name": "Anna"}
	info, err := testVerifier(t, nil).VerifyClaims(t.Context(), signed(t, goodHeader(), good))
	require.NoError(t, err)
	var into struct {
		Name string `json:"name"`
	}
	require.NoError(t, info.Claims(&into))
	assert.Equal(t, "Anna", into.Name)
	for name, tt := range map[string]struct {
		raw     string
		refused Check
	}{
		"no token":       {"anna", CheckShape},
		"another issuer": {signed(t, goodHeader(), with(good, "iss", "https://evil.example")), CheckIssuer},
		"expired":        {signed(t, goodHeader(), with(good, "exp", testNow.Unix()-31)), CheckExpiry},
	} {
		info, err := testVerifier(t, nil).VerifyClaims(t.Context(), tt.raw)
		assert.Nil(t, info, name)
		var refusal *Error
		require.True(t, errors.As(err, &refusal), "%s: %v", name, err)
		assert.Equal(t, tt.refused.String(), refusal.Check.String(), name)
	}
}
