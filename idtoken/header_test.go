package idtoken

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is remembered of a header is not an answer to another question.
func TestRememberedHeader(t *testing.T) {
	v := testVerifier(t, nil)
	logout := signed(t, with(goodHeader(), "typ", "logout+jwt"), goodLogout())
	_, err := v.VerifyLogoutToken(t.Context(), logout)
	require.NoError(t, err)
	require.Len(t, v.headers.known, 1)
	asIDToken := signed(t, with(goodHeader(), "typ", "logout+jwt"), goodClaims())
	_, err = v.Verify(t.Context(), asIDToken, goodExpect())
	assert.ErrorContains(t, err, "typ", "the header is remembered, but for another kind of token")

	good := signed(t, goodHeader(), goodClaims())
	for range 2 {
		_, err = v.Verify(t.Context(), good, goodExpect())
		require.NoError(t, err)
		_, err = v.Verify(t.Context(), good[:len(good)-4]+"AAAA", goodExpect())
		assert.ErrorContains(t, err, "signature")
		_, err = v.Verify(t.Context(), good, Expect{Nonce: "another"})
		assert.ErrorContains(t, err, "nonce")
	}
	assert.Len(t, v.headers.known, 2)
}

func TestHeadersOfStrangersAreNotRemembered(t *testing.T) {
	v := testVerifier(t, nil)
	for i := range 100 {
		raw := signed(t, with(goodHeader(), "n", i), goodClaims())
		_, err := v.Verify(t.Context(), raw[:strings.LastIndex(raw, ".")]+".AAAA", goodExpect())
		require.Error(t, err)
	}
	assert.Empty(t, v.headers.known)
	for i := range 3 * maxHeaders {
		_, err := v.Verify(t.Context(), signed(t, with(goodHeader(), "n", fmt.Sprint(i)), goodClaims()), goodExpect())
		require.NoError(t, err)
		assert.LessOrEqual(t, len(v.headers.known), maxHeaders)
	}
}
