package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func bytesOf(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

func number(t *testing.T, s string) *big.Int { return new(big.Int).SetBytes(bytesOf(t, s)) }

func point(t *testing.T, curve elliptic.Curve, x, y string) *ecdsa.PublicKey {
	t.Helper()
	key, err := ecdsa.ParseUncompressedPublicKey(curve, append([]byte{4}, append(bytesOf(t, x), bytesOf(t, y)...)...))
	require.NoError(t, err)
	return key
}

const rfc7515Payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

// The examples of RFC 7515 appendix A.1 to A.4 and RFC 8037 appendix A.4.
func TestRFCVectors(t *testing.T) {
	t.Run("A.1 HS256", func(t *testing.T) {
		secret := bytesOf(t, "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
		input := "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc7515Payload
		signature := bytesOf(t, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
		require.NoError(t, VerifyHMAC("HS256", secret, input, signature))
		signature[0] ^= 1
		assert.ErrorIs(t, VerifyHMAC("HS256", secret, input, signature), ErrSignature)
	})
	public := map[string]struct {
		key              crypto.PublicKey
		input, signature string
	}{
		"RS256": {
			&rsa.PublicKey{E: 65537, N: number(t, "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")},
			"eyJhbGciOiJSUzI1NiJ9." + rfc7515Payload,
			"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
		},
		"ES256": {
			point(t, elliptic.P256(), "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
			"eyJhbGciOiJFUzI1NiJ9." + rfc7515Payload,
			"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
		},
		"ES512": {
			point(t, elliptic.P521(), "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk", "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"),
			"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
			"AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
		},
		"EdDSA": {
			ed25519.PublicKey(bytesOf(t, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
			"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
			"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
		},
	}
	for alg, v := range public {
		t.Run(alg, func(t *testing.T) {
			signature := bytesOf(t, v.signature)
			require.NoError(t, Verify(alg, v.key, v.input, signature))
			assert.Error(t, Verify(alg, v.key, v.input+" ", signature))
			for i := range signature {
				changed := append([]byte(nil), signature...)
				changed[i] ^= 1
				assert.ErrorIs(t, Verify(alg, v.key, v.input, changed), ErrSignature, "byte %d", i)
			}
			for i := range v.input {
				changed := []byte(v.input)
				changed[i] ^= 1
				assert.ErrorIs(t, Verify(alg, v.key, string(changed), signature), ErrSignature, "byte %d", i)
			}
			assert.Error(t, Verify(alg, v.key, v.input, signature[:len(signature)-1]))
			assert.Error(t, Verify(alg, v.key, v.input, append(signature, 0)))
			assert.Error(t, Verify(alg, v.key, v.input, make([]byte, len(signature))), "zeros")
			for other := range public {
				if other != alg {
					assert.Error(t, Verify(other, v.key, v.input, signature), "as %s", other)
				}
			}
			assert.Error(t, Verify("HS256", v.key, v.input, signature))
			assert.ErrorIs(t, Verify("none", v.key, v.input, signature), ErrAlgorithm)
		})
	}
}

// What RFC 8037 appendix A.4 signs with the key of A.1; Ed25519 has one signature for
// each message.
func TestSigningOfRFC8037(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytesOf(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
	assert.Equal(t, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", Encode(key.Public().(ed25519.PublicKey)), "A.2")
	signature, err := Sign(t.Context(), "EdDSA", key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")
	require.NoError(t, err)
	assert.Equal(t, "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", Encode(signature))
	other, err := Sign(t.Context(), "EdDSA", key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd")
	require.NoError(t, err)
	assert.NotEqual(t, signature, other)
}

func TestFitsRefuses(t *testing.T) {
	assert.Error(t, Fits("RS256", &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}), "1024 bits")
	assert.Error(t, Fits("RS256", &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8192, 1), E: 65537}), "8193 bits")
	assert.Error(t, Fits("RS256", &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2047, 1), E: 1}), "exponent 1")
	assert.Error(t, Fits("RS256", &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(0), 2047, 1), E: 65537}), "even modulus")
	//lint:ignore SA1019 a point off the curve can be made in no other way
	assert.Error(t, Fits("ES256", &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}), "off the curve")
	assert.Error(t, Fits("EdDSA", ed25519.PublicKey("short")))
	assert.Error(t, Fits("ES256", nil))
	assert.Error(t, Fits("RS256", []byte("secret")))
	assert.ErrorIs(t, PublicKey{}.Verify("RS256", "a.b", nil), ErrSignature, "a key that was never filled in")
}

// parseWhole decodes the header too.
func parseWhole(text string, maxBytes int) (c Compact, header []byte, err error) {
	if c, err = ParseCompact(text, maxBytes); err == nil {
		header, err = Decode(c.HeaderPart)
	}
	return c, header, err
}

func TestParseCompact(t *testing.T) {
	const good = "eyJhbGciOiJFUzI1NiJ9.e30.AAE"
	c, err := ParseCompact(good, 100)
	require.NoError(t, err)
	assert.Equal(t, "eyJhbGciOiJFUzI1NiJ9.e30", c.SigningInput)
	assert.Equal(t, "eyJhbGciOiJFUzI1NiJ9", c.HeaderPart)
	assert.Equal(t, "{}", string(c.Payload))
	assert.Equal(t, []byte{0, 1}, c.Signature)
	for name, text := range map[string]string{
		"empty": "", "two parts": "a.b", "four parts": good + ".AA", "no header": ".e30.AAE", "no signature": "eyJhbGciOiJFUzI1NiJ9.e30.",
		"padding": good + "=", "line break": good + "\n", "inside": strings.Replace(good, "e30", "e3\n0", 1), "standard alphabet": "ab+/.e30.AAE",
		"trailing bits": "eyJhbGciOiJFUzI1NiJ9.e30.AAF", "one character": "a.e30.AAE", "space": " " + good, "payload": strings.Replace(good, "e30", "e", 1),
	} {
		_, _, err := parseWhole(text, 100)
		assert.ErrorIs(t, err, ErrShape, name)
	}
	_, err = ParseCompact(strings.Repeat(".", 1e7), 100)
	assert.ErrorIs(t, err, ErrSize)
	_, err = ParseCompact(strings.Repeat(".", 1e7), 1e8)
	assert.ErrorIs(t, err, ErrShape)
}

func FuzzParseCompact(f *testing.F) {
	f.Add("eyJhbGciOiJFUzI1NiJ9.e30.AAE")
	f.Add("..")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		c, header, err := parseWhole(text, 1<<16)
		if err != nil {
			return
		}
		if again := Encode(header) + "." + Encode(c.Payload) + "." + Encode(c.Signature); again != text {
			t.Fatalf("%q is another text of %q", text, again)
		}
	})
}

func TestFromASN1(t *testing.T) {
	for name, der := range map[string][]byte{
		"nothing": nil, "r and s": make([]byte, 64), "negative": {0x30, 6, 2, 1, 0x80, 2, 1, 1}, "zero": {0x30, 6, 2, 1, 0, 2, 1, 1},
		"trailing": {0x30, 6, 2, 1, 1, 2, 1, 1, 0}, "too long": append([]byte{0x30, 38, 2, 33, 1}, append(make([]byte, 32), 2, 1, 1)...),
	} {
		_, err := fromASN1(der, 32)
		assert.Error(t, err, name)
	}
	got, err := fromASN1([]byte{0x30, 6, 2, 1, 1, 2, 1, 2}, 32)
	require.NoError(t, err)
	assert.Len(t, got, 64)
	assert.EqualValues(t, 1, got[31])
	assert.EqualValues(t, 2, got[63])
}

// The two forms of an ECDSA signature are each other's inverse, also where
// numbers are short or have their highest bit set.
func TestASN1BothWays(t *testing.T) {
	for _, size := range []int{32, 48, 66} {
		for _, r := range []int{1, 0x7f, 0x80, 0xff, 0x8000} {
			signature := make([]byte, 2*size)
			big.NewInt(int64(r)).FillBytes(signature[:size])
			signature[size] = 0xff
			der, ok := toASN1(signature, size)
			require.True(t, ok)
			again, err := fromASN1(der, size)
			require.NoError(t, err, "%x", der)
			assert.Equal(t, signature, again)
		}
	}
	_, ok := toASN1(make([]byte, 63), 32)
	assert.False(t, ok)
}
