package jwe

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

// changed returns a token with one bit of a part changed.
func changed(t testing.TB, token string, part int) string {
	t.Helper()
	parts := strings.Split(token, ".")
	raw := decoded(t, parts[part])
	raw[len(raw)/2] ^= 1
	parts[part] = jose.Encode(raw)
	return strings.Join(parts, ".")
}

// A failure's cause is nowhere to be seen: the error is the one error, and the
// key was asked once.
func TestFailuresWithRSA(t *testing.T) {
	oaep := rsaKey(t)
	to := &oaep.PublicKey
	cbc := sealing{alg: "RSA-OAEP-256", enc: "A128CBC-HS256"}
	gcm := sealing{alg: "RSA-OAEP", enc: "A256GCM"}
	sha1, sha256 := managed(t, gcm.alg), managed(t, cbc.alg)
	under := func(s sealing, cek, encrypted []byte) string {
		s.cek, s.encryptedKey = cek, encrypted
		return s.seal(t, to, nested)
	}
	padded := func(padded string) string {
		s := cbc
		s.padded = padded
		return s.seal(t, to, "")
	}
	otherHash := func(s sealing, m management) string { s.hash = &m; return s.seal(t, to, nested) }
	withKeyOf := func(s sealing, n int) string {
		return under(s, nil, encrypted(t, managed(t, s.alg), to, make([]byte, n)))
	}
	good := map[string]string{"CBC": cbc.seal(t, to, nested), "GCM": gcm.seal(t, to, nested), "empty": padded(strings.Repeat("\x10", 16))}
	bad := map[string]string{
		"tag of CBC":         changed(t, good["CBC"], 4),
		"ciphertext of CBC":  changed(t, good["CBC"], 3),
		"IV of CBC":          changed(t, good["CBC"], 2),
		"encrypted key":      changed(t, good["CBC"], 1),
		"tag of GCM":         changed(t, good["GCM"], 4),
		"ciphertext of GCM":  changed(t, good["GCM"], 3),
		"IV of GCM":          changed(t, good["GCM"], 2),
		"encrypted key, GCM": changed(t, good["GCM"], 1),
		"all zero":           under(gcm, make([]byte, 32), make([]byte, 256)),
		"all one":            under(gcm, make([]byte, 32), []byte(strings.Repeat("\xff", 256))),
		"random":             under(gcm, make([]byte, 32), append([]byte{1}, randomBytes(255)...)),
		"zero key, CBC":      under(cbc, make([]byte, 32), append([]byte{1}, randomBytes(255)...)),
		"hash of OAEP":       otherHash(gcm, sha256),
		"hash of OAEP-256":   otherHash(cbc, sha1),
		"no key":             withKeyOf(gcm, 0),
		"short key":          withKeyOf(gcm, 31),
		"key of A128GCM":     withKeyOf(gcm, 16),
		"long key":           withKeyOf(gcm, 33),
		"key of HS512":       withKeyOf(cbc, 64),
		"padding zero":       padded(strings.Repeat("x", 15) + "\x00"),
		"padding too long":   padded(strings.Repeat("x", 15) + "\x11"),
		"padding all zero":   padded(strings.Repeat("\x00", 16)),
		"padding differs":    padded(strings.Repeat("x", 13) + "\x03\x02\x03"),
	}
	for name, token := range good {
		_, err := decrypt(t, token, newKey(t, "", "", oaep))
		require.NoError(t, err, name)
	}
	for name, token := range bad {
		device := &rsaDevice{PrivateKey: oaep}
		plaintext, err := decrypt(t, token, newKey(t, "", "", device))
		assert.Equal(t, ErrDecrypt, err, name)
		assert.Empty(t, plaintext, name)
		assert.Equal(t, 1, device.calls, name)
	}
}

func TestFailuresWithCurves(t *testing.T) {
	p256 := newP256(t)
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	direct, wrapped := sealing{alg: "ECDH-ES", enc: "A128GCM"}, sealing{alg: "ECDH-ES+A128KW", enc: "A128CBC-HS256"}
	with := func(s sealing, name string, value any) sealing {
		s.header = map[string]any{name: value}
		return s
	}
	keyed := func(s sealing, cek, encrypted []byte) string {
		s.cek, s.encryptedKey = cek, encrypted
		return s.seal(t, p256.PublicKey(), nested)
	}
	// With a point of small order the secret is zero, whatever the key.
	small := with(direct, "epk", map[string]any{"kty": "OKP", "crv": "X25519", "x": strings.Repeat("A", 43)})
	small.secret = make([]byte, 32)
	good, goodKW := direct.seal(t, p256.PublicKey(), nested), wrapped.seal(t, p256.PublicKey(), nested)
	_, err = decrypt(t, good, newKey(t, "", "", p256))
	require.NoError(t, err)
	_, err = decrypt(t, goodKW, newKey(t, "", "", p256))
	require.NoError(t, err)
	for name, token := range map[string]string{
		"ciphertext":          changed(t, good, 3),
		"tag":                 changed(t, good, 4),
		"IV":                  changed(t, good, 2),
		"wrapped key":         changed(t, goodKW, 1),
		"ciphertext, wrapped": changed(t, goodKW, 3),
		"tag, wrapped":        changed(t, goodKW, 4),
		"zero key":            keyed(wrapped, make([]byte, 32), make([]byte, 40)),
		"another's epk":       with(direct, "epk", epkOf(newP256(t).PublicKey())).seal(t, p256.PublicKey(), nested),
		"another's epk, KW":   with(wrapped, "epk", epkOf(newP256(t).PublicKey())).seal(t, p256.PublicKey(), nested),
		"point of order one":  small.seal(t, x25519.PublicKey(), nested),
		"wrong alg in KDF":    with(wrapped, "alg", "ECDH-ES+A256KW").seal(t, p256.PublicKey(), nested),
		"wrong enc in KDF":    with(direct, "enc", "A256GCM").seal(t, p256.PublicKey(), nested),
	} {
		one, other := &ecDevice{KeyExchanger: p256}, &ecDevice{KeyExchanger: x25519}
		plaintext, err := decrypt(t, token, newKey(t, "", "", one), newKey(t, "", "", other))
		assert.Equal(t, ErrDecrypt, err, name)
		assert.Empty(t, plaintext, name)
		assert.Equal(t, 1, one.calls+other.calls, name)
	}
}

// A key that fails does not leave one behind that anybody knows.
func TestFailingDevices(t *testing.T) {
	errDevice := errors.New("device")
	answers := map[string]func() ([]byte, error){
		"error":      func() ([]byte, error) { return nil, errDevice },
		"nothing":    func() ([]byte, error) { return nil, nil },
		"short":      func() ([]byte, error) { return make([]byte, 15), nil },
		"long":       func() ([]byte, error) { return make([]byte, 33), nil },
		"with error": func() ([]byte, error) { return make([]byte, 16), errDevice },
	}
	oaep, p256 := rsaKey(t), newP256(t)
	zeroKey := sealing{alg: "RSA-OAEP", enc: "A128GCM", cek: make([]byte, 16)}.seal(t, &oaep.PublicKey, nested)
	zeroSecret := func(alg string) string {
		return sealing{alg: alg, enc: "A128GCM", secret: make([]byte, 32)}.seal(t, p256.PublicKey(), nested)
	}
	for name, answer := range answers {
		_, err := decrypt(t, zeroKey, newKey(t, "", "", &rsaDevice{PrivateKey: oaep, answer: answer}))
		assert.Equal(t, ErrDecrypt, err, name)
	}
	answers["zeros"] = func() ([]byte, error) { return make([]byte, 32), nil }
	answers["zeros with error"] = func() ([]byte, error) { return make([]byte, 32), errDevice }
	for name, answer := range answers {
		for _, alg := range []string{"ECDH-ES", "ECDH-ES+A128KW"} {
			_, err := decrypt(t, zeroSecret(alg), newKey(t, "", "", &ecDevice{KeyExchanger: p256, answer: answer}))
			assert.Equal(t, ErrDecrypt, err, name)
		}
	}
	// Not even with the right secret in it.
	public := sealing{alg: "ECDH-ES", enc: "A128GCM", secret: []byte(strings.Repeat("s", 32))}.seal(t, p256.PublicKey(), nested)
	for _, c := range []struct {
		size        int
		fails, want error
	}{{32, nil, nil}, {31, nil, ErrDecrypt}, {33, nil, ErrDecrypt}, {32, errDevice, ErrDecrypt}} {
		device := &ecDevice{KeyExchanger: p256, answer: func() ([]byte, error) { return []byte(strings.Repeat("s", c.size)), c.fails }}
		_, err := decrypt(t, public, newKey(t, "", "", device))
		assert.Equal(t, c.want, err, c)
	}
	// The tokens are good ones: who knows the key can read them.
	_, err := decrypt(t, zeroKey, newKey(t, "", "", &rsaDevice{PrivateKey: oaep, answer: func() ([]byte, error) { return make([]byte, 16), nil }}))
	require.NoError(t, err)
}

// That a key is not reached is no failure of the token, and no reason to give up while
// another may decrypt it. Whatever else a device says is the one error.
func TestKeysThatAreNotReached(t *testing.T) {
	oaep, p256 := rsaKey(t), newP256(t)
	timeout := &net.OpError{Op: "dial", Err: errors.New("timeout")}
	tokens := map[string]string{
		"RSA":     sealing{alg: "RSA-OAEP", enc: "A128GCM"}.seal(t, &oaep.PublicKey, nested),
		"direct":  sealing{alg: "ECDH-ES", enc: "A128GCM"}.seal(t, p256.PublicKey(), nested),
		"wrapped": sealing{alg: "ECDH-ES+A128KW", enc: "A128CBC-HS256"}.seal(t, p256.PublicKey(), nested),
	}
	for name, token := range tokens {
		for what, c := range map[string]struct{ says, want error }{
			"not dialed":   {timeout, timeout},
			"wrapped":      {fmt.Errorf("vault: %w", timeout), timeout},
			"too late":     {fmt.Errorf("vault: %w", context.DeadlineExceeded), context.DeadlineExceeded},
			"given up":     {context.Canceled, context.Canceled},
			"anything":     {errors.New("object handle invalid"), ErrDecrypt},
			"no key of it": {nil, ErrDecrypt},
		} {
			answer := func() ([]byte, error) { return nil, c.says }
			device, reached := newKey(t, "", "", &ecDevice{KeyExchanger: p256, answer: answer}), newKey(t, "", "", p256)
			if name == "RSA" {
				device, reached = newKey(t, "", "", &rsaDevice{PrivateKey: oaep, answer: answer}), newKey(t, "", "", oaep)
			}
			_, err := decrypt(t, token, device)
			require.ErrorIs(t, err, c.want, name+" "+what)
			if c.want == ErrDecrypt {
				assert.Equal(t, ErrDecrypt, err, what)
			}
			plain, err := decrypt(t, token, device, reached)
			require.NoError(t, err, name+" "+what)
			assert.Equal(t, nested, plain)
		}
	}
}
