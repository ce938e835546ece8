package jwx_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jwx"
)

// The choice of a key to encrypt to is the same for the same set.
func TestRecipient(t *testing.T) {
	key := func(kid, more string) string {
		return strings.Replace(ecJWK, `"use":"enc","kid":"1"`, `"kid":"`+kid+`"`+more, 1)
	}
	okp := `{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","use":"enc","kid":"okp"}`
	enc := `,"use":"enc"`
	for name, tt := range map[string]struct {
		keys           []string
		alg, kid, want string
	}{
		"the only one":         {[]string{key("a", enc)}, "ECDH-ES", "", "a"},
		"the first":            {[]string{key("a", enc), okp}, "ECDH-ES", "", "a"},
		"the first is X25519":  {[]string{okp, key("a", enc)}, "ECDH-ES", "", "okp"},
		"one that names alg":   {[]string{key("a", enc), key("b", enc+`,"alg":"ECDH-ES"`)}, "ECDH-ES", "", "b"},
		"one for another alg":  {[]string{key("a", enc+`,"alg":"ECDH-ES+A128KW"`), key("b", enc)}, "ECDH-ES", "", "b"},
		"by kid":               {[]string{key("a", enc), key("b", enc)}, "ECDH-ES", "b", "b"},
		"by kid, without use":  {[]string{key("a", enc), key("b", "")}, "ECDH-ES", "b", "b"},
		"by kid, for signing":  {[]string{key("a", enc), key("b", `,"use":"sig"`)}, "ECDH-ES", "b", ""},
		"by kid of nobody":     {[]string{key("a", enc)}, "ECDH-ES", "b", ""},
		"without use":          {[]string{key("a", "")}, "ECDH-ES", "", ""},
		"for signing":          {[]string{key("a", `,"use":"sig"`)}, "ECDH-ES", "", ""},
		"of another kind":      {[]string{key("a", enc)}, "RSA-OAEP", "", ""},
		"for other operations": {[]string{key("a", enc+`,"key_ops":["verify"]`)}, "ECDH-ES", "", ""},
		"for these operations": {[]string{key("a", enc+`,"key_ops":["deriveBits"]`)}, "ECDH-ES", "", "a"},
		"none":                 {nil, "ECDH-ES", "", ""},
	} {
		keys, err := jwx.ParseKeySet([]byte(`{"keys":[`+strings.Join(tt.keys, ",")+`]}`), 5)
		require.NoError(t, err, name)
		require.Len(t, keys, len(tt.keys), name)
		got, ok := jwx.Recipient(keys, tt.alg, tt.kid)
		assert.Equal(t, tt.want != "", ok, name)
		assert.Equal(t, tt.want, got.ID, name)
	}
}
