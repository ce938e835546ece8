package idtoken

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerifyResponse(t *testing.T) {
	now := testNow.Unix()
	response := func(pairs ...any) members {
		return with(members{"iss": testIssuer, "aud": testClient, "exp": now + 60, "code": "c", "state": "s"}, pairs...)
	}
	v := testVerifier(t, nil)
	for name, tt := range map[string]struct {
		claims  members
		header  members
		refused Check
		values  url.Values
	}{
		"good":              {response(), nil, 0, url.Values{"iss": {testIssuer}, "code": {"c"}, "state": {"s"}}},
		"an error":          {response("code", nil, "error", "access_denied"), nil, 0, url.Values{"iss": {testIssuer}, "error": {"access_denied"}, "state": {"s"}}},
		"a number":          {response("expires_in", 60, "iat", now), nil, 0, url.Values{"iss": {testIssuer}, "code": {"c"}, "state": {"s"}, "expires_in": {"60"}}},
		"aud in a list":     {response("aud", []string{testClient}), nil, 0, url.Values{"iss": {testIssuer}, "code": {"c"}, "state": {"s"}}},
		"typ JWT":           {response(), members{"typ": "JWT"}, 0, url.Values{"iss": {testIssuer}, "code": {"c"}, "state": {"s"}}},
		"another typ":       {response(), members{"typ": "at+jwt"}, CheckHeader, nil},
		"no issuer":         {response("iss", nil), nil, CheckIssuer, nil},
		"another issuer":    {response("iss", testIssuer+"1"), nil, CheckIssuer, nil},
		"no audience":       {response("aud", nil), nil, CheckAudience, nil},
		"another audience":  {response("aud", testClient+"1"), nil, CheckAudience, nil},
		"two audiences":     {response("aud", []string{testClient, "other"}), nil, CheckAudience, nil},
		"no expiry":         {response("exp", nil), nil, CheckExpiry, nil},
		"expired":           {response("exp", now-31), nil, CheckExpiry, nil},
		"not yet":           {response("nbf", now+31), nil, CheckNotBefore, nil},
		"unknown ones":      {response("new", true, "list", []string{"a"}, "object", members{"code": "d"}), nil, 0, url.Values{"iss": {testIssuer}, "code": {"c"}, "state": {"s"}}},
		"unknown text":      {response("new", "x", "n", 1), nil, 0, url.Values{"iss": {testIssuer}, "code": {"c"}, "state": {"s"}, "new": {"x"}, "n": {"1"}}},
		"a code's number":   {response("code", 1), nil, CheckShape, nil},
		"a lifetime's list": {response("expires_in", []int{60}), nil, CheckShape, nil},
		"an object":         {response("state", members{}), nil, CheckShape, nil},
		"a list":            {response("code", []string{"c"}), nil, CheckShape, nil},
		"null":              {response("code", json.RawMessage("null")), nil, 0, url.Values{"iss": {testIssuer}, "state": {"s"}}},
		"true":              {response("code", true), nil, CheckShape, nil},
		"another algorithm": {response(), members{"alg": "RS256"}, CheckHeader, nil},
		"none":              {response(), members{"alg": "none"}, CheckHeader, nil},
	} {
		header := goodHeader()
		for name, value := range tt.header {
			header[name] = value
		}
		values, err := v.VerifyResponse(t.Context(), signed(t, header, tt.claims))
		if tt.refused == 0 {
			require.NoError(t, err, name)
			assert.Equal(t, tt.values, values, name)
			continue
		}
		var refused *Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, tt.refused, refused.Check, name)
		assert.Nil(t, values)
	}
	good := signed(t, goodHeader(), response())
	_, err := v.VerifyResponse(t.Context(), good[:len(good)-4]+"AAAA")
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, CheckSignature, refused.Check)
}
