package oidcclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testSealer(t testing.TB, fill ...byte) *Sealer {
	keys := make([][]byte, len(fill))
	for i, b := range fill {
		keys[i] = bytes.Repeat([]byte{b}, SealerKeySize)
	}
	s, err := NewSealer(keys...)
	require.NoError(t, err)
	return s
}

func TestSealerOpensOnlyWhatItSealed(t *testing.T) {
	s := testSealer(t, 1)
	text, err := s.Seal("a purpose", []byte("plain"), []byte("bound"))
	require.NoError(t, err)

	opened, err := s.Open("a purpose", text, []byte("bound"))
	require.NoError(t, err)
	assert.Equal(t, "plain", string(opened))

	for name, try := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return s.Open("a purposf", text, []byte("bound")) },
		"another binding": func() ([]byte, error) { return s.Open("a purpose", text, []byte("bounc")) },
		"no binding":      func() ([]byte, error) { return s.Open("a purpose", text, nil) },
		"another key":     func() ([]byte, error) { return testSealer(t, 2).Open("a purpose", text, []byte("bound")) },
		"nothing":         func() ([]byte, error) { return s.Open("a purpose", "", []byte("bound")) },
		"too long":        func() ([]byte, error) { return s.Open("a purpose", text+strings.Repeat("A", maxSealed), nil) },
	} {
		_, err := try()
		assert.ErrorIs(t, err, ErrSealed, name)
	}
}

// What is sealed opens, and what would not is not sealed.
func TestSealerSealsNothingThatIsTooLong(t *testing.T) {
	s := testSealer(t, 1)
	text, err := s.Seal("p", make([]byte, maxPlain), nil)
	require.NoError(t, err)
	opened, err := s.Open("p", text, nil)
	require.NoError(t, err)
	assert.Len(t, opened, maxPlain)
	_, err = s.Seal("p", make([]byte, maxPlain+1), nil)
	assert.ErrorContains(t, err, "too long")
}

// Whatever a provider sends, the session with it is short enough.
func TestLongestSessionIsSealed(t *testing.T) {
	long := strings.Repeat("x", maxToken)
	s := &Session{data: sessionData{
		Version: sessionVersion, Subject: "anna", IDToken: long, AccessToken: long, RefreshToken: long, Scopes: strings.Fields(strings.Repeat("x ", maxToken/2)),
		UserInfo: strings.Repeat("x", maxUserInfo), Details: long, Sources: strings.Repeat("x", maxSourced), ACR: long,
	}}
	text, err := testSealer(t, 1).SealSessionWith(s, []byte(long), nil)
	require.NoError(t, err)
	_, _, err = testSealer(t, 1).OpenSessionWith(text, nil)
	require.NoError(t, err)
}

func TestSealerRefusesEveryChange(t *testing.T) {
	s := testSealer(t, 1)
	text, err := s.Seal("p", []byte("plain"), nil)
	require.NoError(t, err)
	for i := range len(text) {
		_, err := s.Open("p", text[:i], nil)
		assert.ErrorIs(t, err, ErrSealed, "prefix of %d", i)
		for _, b := range []byte("Aa0-_.= \n\x00") {
			if text[i] == b {
				continue
			}
			_, err := s.Open("p", text[:i]+string(b)+text[i+1:], nil)
			assert.ErrorIs(t, err, ErrSealed, "byte %d as %q", i, b)
			_, err = s.Open("p", text[:i]+string(b)+text[i:], nil)
			assert.ErrorIs(t, err, ErrSealed, "%q inserted at %d", b, i)
		}
	}
}

func TestSealerKeysRotate(t *testing.T) {
	old := testSealer(t, 1)
	text, err := old.Seal("p", []byte("plain"), nil)
	require.NoError(t, err)

	both := testSealer(t, 2, 1)
	opened, err := both.Open("p", text, nil)
	require.NoError(t, err)
	assert.Equal(t, "plain", string(opened))

	fresh, err := both.Seal("p", []byte("plain"), nil)
	require.NoError(t, err)
	_, err = old.Open("p", fresh, nil)
	assert.ErrorIs(t, err, ErrSealed, "the new key seals")
	assert.NotEqual(t, text, fresh)
}

func TestNewSealerRefusesBadKeys(t *testing.T) {
	_, err := NewSealer()
	assert.Error(t, err)
	_, err = NewSealer(make([]byte, SealerKeySize-1))
	assert.Error(t, err)
}

func TestSealedPendingSurvives(t *testing.T) {
	maxAge := int64(60)
	p := &Pending{pendingData{
		Version: pendingVersion, ClientID: "client", Issuer: "https://op.example", RedirectURI: "https://rp.example/cb",
		State: "state", Nonce: "nonce", Verifier: "verifier", ResponseMode: "form_post", MaxAge: &maxAge, MinACR: "high",
		Scopes: []string{"openid"}, ExpiresAt: time.Unix(1700000000, 5).UTC(),
	}}
	s := testSealer(t, 1)
	text, err := s.SealPending(p)
	require.NoError(t, err)
	opened, err := s.OpenPending(text)
	require.NoError(t, err)
	assert.Equal(t, p, opened)

	_, err = s.OpenSession(text)
	assert.ErrorIs(t, err, ErrSealed, "a login is no session")

	p.data.Version++
	text, err = s.SealPending(p)
	require.NoError(t, err)
	_, err = s.OpenPending(text)
	assert.ErrorIs(t, err, ErrSealed, "another version is not guessed at")
}

func TestSealedFormIsClosed(t *testing.T) {
	s := testSealer(t, 1)
	for name, text := range map[string]string{
		"unknown member": `{"v":1,"client_id":"c","iss":"i","redirect_uri":"r","state":"s","exp":"2026-01-01T00:00:00Z","more":1}`,
		"double member":  `{"v":1,"v":1,"client_id":"c","iss":"i","redirect_uri":"r","state":"s","exp":"2026-01-01T00:00:00Z"}`,
		"other case":     `{"V":1,"client_id":"c","iss":"i","redirect_uri":"r","state":"s","exp":"2026-01-01T00:00:00Z"}`,
		"not JSON":       `v=1`,
	} {
		sealed, err := s.Seal(purposePending, []byte(text), nil)
		require.NoError(t, err)
		_, err = s.OpenPending(sealed)
		assert.ErrorIs(t, err, ErrSealed, name)
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	const secret = "s3cr3t-value"
	values := map[string]any{
		"pending": &Pending{pendingData{State: secret, Nonce: secret, Verifier: secret}},
		"session": &Session{data: sessionData{AccessToken: secret, RefreshToken: secret, IDToken: secret, Subject: secret}},
		"client":  staticClient(t, func(c *Config) { c.ClientSecret = secret }),
		"config":  Config{ClientSecret: secret, ClientID: "client"},
		"sealer":  &Sealer{keys: []sealingKey{{secret: []byte(secret)}}},
	}
	for name, value := range values {
		holder := struct{ V any }{value}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			for _, v := range []any{value, holder, []any{value}} {
				text := fmt.Sprintf(verb, v)
				assert.NotContains(t, text, secret, "%s by %s", name, verb)
				assert.NotContains(t, text, fmt.Sprintf("%x", secret), "%s by %s", name, verb)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", value, "holder", holder)
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", value, "holder", holder)
		assert.NotContains(t, log.String(), secret, "%s in a log", name)
		if text, err := json.Marshal(value); err == nil {
			assert.NotContains(t, string(text), secret, "%s in JSON", name)
		}
	}
}

func FuzzSealerOpen(f *testing.F) {
	s := testSealer(f, 1)
	text, err := s.Seal(purposePending, []byte(`{"v":1}`), nil)
	require.NoError(f, err)
	f.Add(text)
	f.Add("v1.")
	f.Fuzz(func(t *testing.T, text string) {
		plaintext, err := s.Open(purposePending, text, nil)
		if err == nil && string(plaintext) != `{"v":1}` {
			t.Fatal("opened what was never sealed")
		}
		_, _ = s.OpenPending(text)
		_, _ = s.OpenSession(text)
	})
}
