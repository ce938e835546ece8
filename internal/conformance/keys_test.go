package conformance

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keyModules are about which key an ID token is verified with.
func keyModules() []module {
	return []module{
		{"oidcc-client-test-kid-absent-single-jwks", all(), func(r *rp) {
			r.useRS256()
			r.op.Keys = []Key{RSAKey().Unnamed()}
			s := r.accepted(r.login())
			header, _, _ := strings.Cut(s.IDToken().Raw(), ".")
			text, err := base64.RawURLEncoding.DecodeString(header)
			require.NoError(r, err)
			assert.NotContains(r, string(text), "kid")
		}},
		// Either is allowed. Of several keys that fit this library picks none; those
		// of the other kinds, an unknown curve among them, are no hindrance.
		{"oidcc-client-test-kid-absent-multiple-jwks", all(), func(r *rp) {
			r.useRS256()
			r.op.Keys = unnamedKeys()
			step, uncalled := r.first()
			_, err := r.login()
			r.refused(err, step, "key", uncalled...)
			r.op.Keys = slices.DeleteFunc(unnamedKeys(), func(k Key) bool { return k.JWK["kty"] == "RSA" && k.Private == nil })
			r.Run("one that fits", func(t *testing.T) { r := r.again(t); r.accepted(r.login()) })
		}},
		module{"oidcc-client-test-signing-key-rotation", all(), func(r *rp) {
			r.accepted(r.login())
			r.op.Keys, r.op.Now = []Key{ECKey("ES256", "sig")}, r.op.Now.Add(time.Minute)
			r.accepted(r.login())
			assert.Len(r, r.op.Calls(JWKS), 2)
			if r.hasUserInfo() {
				assert.Len(r, r.op.Calls(UserInfo), 2)
			}
		}}.dynamicToo(),
		module{"oidcc-client-test-signing-key-rotation-just-before-signing", all(), func(r *rp) {
			r.Run("signed with another key", func(t *testing.T) {
				r := r.again(t)
				r.rotatesBeforeSigning(func(Key) any { return ECKey("ES256", "sig").Private })
				step, uncalled := r.first()
				_, err := r.login()
				r.refused(err, step, "signature", uncalled...)
			})
			r.rotatesBeforeSigning(func(next Key) any { return next.Private })
			r.accepted(r.login())
			assert.Greater(r, len(r.op.Calls(JWKS)), 1)
		}}.dynamicToo(),
		{"oidcc-client-test-idtoken-sig-rs256", all(), func(r *rp) {
			r.useRS256()
			r.accepted(r.login())
		}},
		{"oidcc-client-test-invalid-sig-rs256", all(), func(r *rp) {
			r.useRS256()
			r.refusesIDTokens("signature", broken)
		}},
		{"oidcc-client-test-invalid-sig-es256", all(), func(r *rp) {
			assert.Equal(r, "ES256", r.op.Alg)
			r.Run("right", func(t *testing.T) { r := r.again(t); r.accepted(r.login()) })
			r.refusesIDTokens("signature", broken)
		}},
		{"oidcc-client-test-invalid-sig-hs256", all(), func(r *rp) {
			r.op.Alg, r.config.Algorithm = "HS256", "HS256"
			r.Run("right", func(t *testing.T) { r := r.again(t); r.accepted(r.login()) })
			r.refusesIDTokens("signature", broken)
		}},
		// Allowed is either; refusing is the safe choice.
		module{"oidcc-client-test-idtoken-sig-none", basic(), func(r *rp) {
			r.refusesIDTokens("shape", func(t *JWT) { t.Header = map[string]any{"alg": "none"} })
			r.Run("with a signature", func(*testing.T) {
				r.refusesIDTokens("header", func(t *JWT) {
					t.Header = map[string]any{"alg": "none"}
					t.Rewrite = func(unsigned string) string { return unsigned + "AAAA" }
				})
			})
			r.notConfigurable("Algorithm", func() { r.config.Algorithm = "none" })
		}}.dynamicToo(),
	}
}

// rotatesBeforeSigning makes the provider publish a new key whenever it is about to sign
// an ID token, and sign by that name, with what signs gives it. The suite can't know
// whether the client had the old keys; here it has.
func (r *rp) rotatesBeforeSigning(signs func(next Key) any) {
	r.Helper()
	require.NoError(r, r.client().Ready(r.Context()))
	require.Len(r, r.op.Calls(JWKS), 1)
	r.op.Now = r.op.Now.Add(time.Minute)
	r.op.ChangeJWT(func(t *JWT) {
		next := ECKey("ES256", "sig")
		r.op.Keys = []Key{next}
		t.Header["kid"], t.Key = next.ID(), signs(next)
		r.op.Now = r.op.Now.Add(4 * time.Second)
	}, FrontToken, CodeToken)
}

// unnamedKeys are three keys of each kind without kid, of which one RSA key signs.
func unnamedKeys() (keys []Key) {
	keys = append(keys, RSAKey().Unnamed())
	for i := range 3 {
		if i > 0 {
			keys = append(keys, OtherRSAKey("RS256", "sig").Unnamed())
		}
		for _, k := range []Key{ECKey("ES256", "sig"), KoblitzKey(i), EdKey()} {
			keys = append(keys, k.Unnamed())
		}
	}
	return keys
}

func broken(t *JWT) { t.Rewrite = Break }

// useRS256 makes the provider sign with RS256.
func (r *rp) useRS256() { r.op.Alg, r.config.Algorithm = "RS256", "RS256" }
