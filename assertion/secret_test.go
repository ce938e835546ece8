package assertion_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
)

// written returns a value as package fmt, slog and encoding/json write it.
func written(t *testing.T, value any) string {
	t.Helper()
	var all bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%X", "%q"} {
		fmt.Fprintf(&all, verb+"\n", value)
	}
	slog.New(slog.NewTextHandler(&all, nil)).Info("", "value", value)
	slog.New(slog.NewJSONHandler(&all, nil)).Info("", "value", value)
	text, err := json.Marshal(value)
	require.NoError(t, err)
	all.Write(text)
	return strings.ToLower(all.String())
}

// numbers are a secret's first bytes as fmt writes a slice.
func numbers(secret []byte, format, separator string) string {
	parts := make([]string, 4)
	for i := range parts {
		parts[i] = fmt.Sprintf(format, secret[i])
	}
	return strings.Join(parts, separator)
}

func TestNothingPrintsSecrets(t *testing.T) {
	octets := []byte("this secret is of forty-eight octets, as it said")
	seed := []byte("this seed is of thirty-two bytes")
	for name, key := range map[string]assertion.Key{
		"secret":      {Secret: octets, ID: "k"},
		"private key": {Signer: ed25519.NewKeyFromSeed(seed), ID: "k"},
	} {
		secret := seed
		if key.Secret != nil {
			secret = octets
		}
		config := assertion.Config{ClientID: "client", Key: key}
		signer, err := assertion.New(config)
		require.NoError(t, err)
		shapes := map[string]string{
			"text":        string(secret[:8]),
			"decimal":     numbers(secret, "%d", " "),
			"Go":          numbers(secret, "%#x", ", "),
			"hexadecimal": hex.EncodeToString(secret[:8]),
			"base64":      strings.ToLower(base64.StdEncoding.EncodeToString(secret[:6])),
		}
		for kind, value := range map[string]any{
			"key": key, "pointer to key": &key, "config": config, "pointer to config": &config,
			"signer": signer, "copy of a signer": *signer, "list": []any{key, signer}, "map": map[string]any{"a": signer},
			"struct": struct{ S *assertion.Signer }{signer}, "hidden signer": struct{ s *assertion.Signer }{signer},
		} {
			text := ""
			if kind == "config" || kind == "pointer to config" {
				text = strings.ToLower(fmt.Sprintf("%v %+v %#v %s %x", value, value, value, value, value)) // its clock has no JSON
			} else {
				text = written(t, value)
			}
			for shape, part := range shapes {
				assert.NotContains(t, text, part, "%s in a %s, as %s", name, kind, shape)
			}
		}
		want := strings.ToLower("assertion.Signer{client " + signer.Algorithm() + " [redacted]}")
		for _, value := range []any{signer, *signer} {
			assert.Equal(t, 10, strings.Count(written(t, value), want), "eight verbs and two log handlers")
		}
	}
}

func TestLaterChangesOfTheSecretChangeNothing(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	signer, err := assertion.New(assertion.Config{ClientID: "client", Key: assertion.Key{Secret: secret}})
	require.NoError(t, err)
	clear(secret)
	text, err := signer.ClientAssertion(t.Context(), "aud")
	require.NoError(t, err)
	decode(t, "HS256", []byte(strings.Repeat("s", 32)), text)
}
