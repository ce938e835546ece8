package conformance

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// tokenModules are about the header and the shape of an ID token.
func tokenModules() []module {
	refuses := func(name, check string, spoil func(*rp) func(*JWT)) module {
		return module{"beyond-" + name, all(), func(r *rp) { r.refusesIDTokens(check, spoil(r)) }}
	}
	forged := func(name string, point func(*rp, *OP) any) module {
		return module{"beyond-header-" + name, all(), func(r *rp) { r.refusesForged(name, point) }}
	}
	return []module{
		refuses("header-crit", "header", always(func(t *JWT) { t.Header["crit"], t.Header["b64"] = []string{"b64"}, true })),
		refuses("header-crit-empty", "header", always(func(t *JWT) { t.Header["crit"] = []string{} })),
		forged("jwk", func(_ *rp, f *OP) any { return f.Keys[0].JWK }),
		forged("jku", func(_ *rp, f *OP) any { return f.Issuer + "/jwks" }),
		forged("x5u", func(_ *rp, f *OP) any { return f.Issuer + "/chain" }),
		forged("x5c", func(r *rp, f *OP) any {
			return []string{base64.StdEncoding.EncodeToString(certificate(f.Keys[0].Private, r.op.Now).Certificate[0])}
		}),
		refuses("hs256-with-public-key", "header", func(r *rp) func(*JWT) {
			public, err := json.Marshal(r.op.Keys[0].JWK)
			require.NoError(r, err)
			return func(t *JWT) { t.Header["alg"], t.Key = "HS256", public }
		}),
		refuses("another-alg-with-published-key", "header", always(func(t *JWT) { t.Header["alg"] = "EdDSA" })),
		// Once: a client that has just fetched the keys does not fetch them at once
		// again, but waits.
		{"beyond-unknown-kid", all(), func(r *rp) {
			r.op.ChangeJWT(func(t *JWT) { t.Header["kid"] = "no such key" }, FrontToken, CodeToken)
			step, uncalled := r.first()
			_, err := r.login()
			r.refused(err, step, "key", uncalled...)
			assert.Len(r, r.op.Calls(JWKS), 1)
		}},
		refuses("duplicate-members-claims", "shape", always(func(t *JWT) {
			claims, _ := json.Marshal(t.Claims)
			t.Payload = `{"sub":"somebody else",` + string(claims[1:])
		})),
		refuses("duplicate-members-header", "shape", always(func(t *JWT) {
			t.Rewrite = func(signed string) string {
				header, rest, _ := strings.Cut(signed, ".")
				text, _ := base64.RawURLEncoding.DecodeString(header)
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256",`+string(text[1:]))) + "." + rest
			}
		})),
		refuses("text-behind-claims", "shape", always(func(t *JWT) {
			claims, _ := json.Marshal(t.Claims)
			t.Payload = string(claims) + "{}"
		})),
		{"beyond-huge-id-token", with("code"), func(r *rp) {
			r.op.ChangeJWT(set("padding", strings.Repeat("x", 64<<10)), CodeToken)
			_, err := r.login()
			refused := r.refused(err, oidcclient.StepExchange, "", UserInfo)
			assert.Equal(r, oidcclient.FaultProvider, refused.Fault)
			assert.Equal(r, http.StatusOK, refused.Status)
			assert.Contains(r, refused.Reason, "id_token")
		}},
		{"beyond-huge-id-token-in-front", with("id_token"), func(r *rp) {
			r.op.ChangeJWT(set("padding", strings.Repeat("x", 64<<10)), FrontToken)
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, "parameters", Token, UserInfo)
		}},
		{"beyond-id-token-encrypted-unagreed", basic(), func(r *rp) {
			r.op.ChangeJWT(func(t *JWT) { t.Rewrite = func(string) string { return "e30.AA.AA.AA.AA" } }, CodeToken)
			_, err := r.login()
			r.refused(err, oidcclient.StepIdentity, "shape", UserInfo)
		}},
		encryptedWith("beyond-pbes2-count-bomb", map[string]any{"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": "AAAAAAAAAAAAAAAAAAAAAA", "p2c": 2147483647}),
		encryptedWith("beyond-zip-bomb", map[string]any{"alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "DEF"}),
		encryptedWith("beyond-encrypted-crit", map[string]any{"alg": "RSA-OAEP-256", "enc": "A256GCM", "crit": []string{"exp"}, "exp": 1}),
		encryptedWith("beyond-encrypted-dir", map[string]any{"alg": "dir", "enc": "A256GCM"}),
	}
}

// refusesForged demands that an ID token is refused that somebody has signed with a key of
// their own, to which the header points: under the kid of the provider's key, under its
// own, or under none.
func (r *rp) refusesForged(name string, point func(r *rp, forger *OP) any) {
	r.Helper()
	forger, own := New(false), ECKey("ES256", "sig")
	r.Cleanup(forger.Close)
	forger.Keys = []Key{own}
	forger.Handle("chain", "/chain", "", func(*OP, *Call) *Answer {
		return &Answer{Status: http.StatusOK, Text: pemChain(own, r.op.Now), Type: "application/pem-certificate-chain"}
	})
	pointed := point(r, forger)
	signs := func(t *JWT) { t.Key, t.Header[name] = own.Private, pointed }
	r.refusesIDTokens("signature", signs)
	r.Run("without kid", func(t *testing.T) {
		r := r.again(t)
		r.op.Keys = []Key{ECKey("ES256", "sig")}
		r.refusesIDTokens("signature", func(t *JWT) {
			signs(t)
			delete(t.Header, "kid")
		})
	})
	r.Run("with its own kid", func(t *testing.T) {
		r := r.again(t)
		r.op.ChangeJWT(func(t *JWT) {
			signs(t)
			t.Header["kid"] = own.ID()
		}, FrontToken, CodeToken)
		step, uncalled := r.first()
		_, err := r.login()
		r.refused(err, step, "key", uncalled...)
	})
	assert.Empty(r, forger.Calls(), "nobody looks where a forger says")
}

// pemChain is a certificate of a key's own, as x5u points to one (RFC 7515 §4.1.5).
func pemChain(key Key, now time.Time) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(key.Private, now).Certificate[0]}))
}

func always(spoil func(*JWT)) func(*rp) func(*JWT) {
	return func(*rp) func(*JWT) { return spoil }
}

// encryptedWith is a module whose ID token is encrypted with a header that has to be
// refused before any work is done for it. The rest of the JWE is of the right size.
func encryptedWith(name string, header map[string]any) module {
	return module{name, with("code"), func(r *rp) {
		r.config.DecryptionKeys = []oidcclient.DecryptionKey{{Private: theRSAKey()}}
		r.config.IDTokenEncrypted = &oidcclient.Encrypted{Algorithm: "RSA-OAEP-256", Encoding: "A256GCM"}
		text, err := json.Marshal(header)
		require.NoError(r, err)
		encode := base64.RawURLEncoding.EncodeToString
		token := strings.Join([]string{encode(text), encode(make([]byte, 256)), encode(make([]byte, 12)), encode(make([]byte, 1024)), encode(make([]byte, 16))}, ".")
		r.op.ChangeJWT(func(t *JWT) { t.Rewrite = func(string) string { return token } }, FrontToken, CodeToken)
		_, err = r.login()
		step, uncalled := r.first()
		refused := r.refused(err, step, "encryption", uncalled...)
		assert.NotContains(r, refused.Reason, "decrypted", "it is refused by its header")
	}}
}
