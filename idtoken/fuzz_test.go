package idtoken

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/rely-go/rely/internal/jose"
)

// fuzzKey is the same in each process, so that what was found can be repeated.
func fuzzKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a seed of thirty-two octets, yes"))
}

func fuzzVerifier(f *testing.F) *Verifier {
	keys, err := PinnedPublicKeys(fuzzKey().Public())
	if err != nil {
		f.Fatal(err)
	}
	v, err := NewVerifier(Config{
		Issuer: testIssuer, ClientID: testClient, Algorithms: []string{"EdDSA"}, Keys: keys,
		Clock: func() time.Time { return testNow },
	})
	if err != nil {
		f.Fatal(err)
	}
	return v
}

// checkErrorText fails where an error is long or quotes what came from outside.
func checkErrorText(t *testing.T, err error, inputs ...string) {
	t.Helper()
	text := err.Error()
	if len(text) >= 300 {
		t.Fatalf("error of %d bytes", len(text))
	}
	const window = 16
	for i := 0; i+window <= len(text); i++ {
		for _, input := range inputs {
			// The library's own words are no quotation, whoever else uses them.
			if strings.Contains(input, text[i:i+window]) && !strings.Contains(input, text) {
				t.Fatalf("error quotes its input: %s", text[i:i+window])
			}
		}
	}
}

// FuzzAgainstGoOIDC signs any header and claims: what Verify believes, go-oidc
// believes too, with the checks that it leaves to its caller, and both read the
// same issuer, subject and audience.
func FuzzAgainstGoOIDC(f *testing.F) {
	v := fuzzVerifier(f)
	peer := oidc.NewVerifier(testIssuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{fuzzKey().Public()}}, &oidc.Config{
		ClientID: testClient, SupportedSigningAlgs: []string{"EdDSA"},
		// It allows no skew for exp.
		Now: func() time.Time { return testNow.Add(-30 * time.Second) },
	})
	good, err := json.Marshal(goodClaims())
	if err != nil {
		f.Fatal(err)
	}
	claims := string(good)
	for _, change := range []struct{ from, to string }{
		{"", ""}, {`"anna"`, `"an\u006ea"`}, {`"sub"`, `"SUB"`}, {`"sub"`, `"sub":"b","sub"`}, {`"exp":1790000300`, `"exp":1.7900003e9`},
		{`"exp":1790000300`, `"exp":1790000300.5,"nbf":1790000000.25`}, {`"aud":"`, `"azp":"` + testClient + `","aud":"`},
		{`"iat"`, `"at_hash":"` + leftHash("a") + `","iat"`}, {`"iat":1790000000`, `"iat":1790000030`}, {`"exp":1790000300`, `"exp":1789999980`},
		{`"nonce"`, `"email":1,"nonce"`}, {`"nonce"`, `"nbf":1790000029,"nonce"`}, {`"nonce"`, `"at_hash":null,"_claim_names":{},"nonce"`},
	} {
		f.Add(`{"alg":"EdDSA"}`, strings.Replace(claims, change.from, change.to, 1))
	}
	for _, header := range []string{`{"alg":"EdDSA","typ":"JWT"}`, `{"alg":"none"}`, `{"alg":"EdDSA","crit":["b64"],"b64":false}`, `{"alg":"EdDSA","jwk":{}}`, `{"alg":"EdDSA","kid":""}`} {
		f.Add(header, claims)
	}
	f.Fuzz(func(t *testing.T, header, claims string) {
		input := jose.Encode([]byte(header)) + "." + jose.Encode([]byte(claims))
		raw := input + "." + jose.Encode(ed25519.Sign(fuzzKey(), []byte(input)))
		expect := goodExpect()
		expect.AccessToken = "a"
		ours, err := v.Verify(t.Context(), raw, expect)
		if err != nil {
			checkErrorText(t, err, header, claims, raw)
			return
		}
		theirs, err := peer.Verify(t.Context(), raw)
		if err != nil {
			if readsMore(header, claims) {
				return
			}
			t.Fatalf("go-oidc refuses what was believed: %v", err)
		}
		agree(t, ours, theirs)
	})
}

// readsMore reports whether there is something that only go-oidc reads, and so may
// find malformed: header members with keys, which we never take from there (RFC
// 7515 §4 lets us ignore them), and distributed claims, which we don't fetch.
func readsMore(header, claims string) bool {
	var names, claimNames map[string]any
	if json.Unmarshal([]byte(header), &names) != nil || json.Unmarshal([]byte(claims), &claimNames) != nil {
		return false
	}
	for name := range claimNames {
		if strings.EqualFold(name, "_claim_names") || strings.EqualFold(name, "_claim_sources") {
			return true
		}
	}
	for _, name := range []string{"jwk", "x5c", "nonce"} {
		if _, ok := names[name]; ok {
			return true
		}
	}
	return false
}

func agree(t *testing.T, ours *IDToken, theirs *oidc.IDToken) {
	t.Helper()
	if ours.Issuer() != theirs.Issuer || ours.Subject() != theirs.Subject {
		t.Fatalf("issuer and subject %q %q, go-oidc %q %q", ours.Issuer(), ours.Subject(), theirs.Issuer, theirs.Subject)
	}
	if strings.Join(ours.Audience(), "\x00") != strings.Join(theirs.Audience, "\x00") {
		t.Fatalf("audience %q, go-oidc %q", ours.Audience(), theirs.Audience)
	}
	if theirs.Nonce != goodExpect().Nonce {
		t.Fatal("go-oidc reads another nonce")
	}
	var more struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := theirs.Claims(&more); err != nil || more.AuthorizedParty != "" && more.AuthorizedParty != testClient {
		t.Fatal("go-oidc reads another azp")
	}
	if theirs.AccessTokenHash != "" && theirs.VerifyAccessToken("a") != nil {
		t.Fatal("go-oidc does not find the access token's hash")
	}
}

// FuzzBelieved mutates whole tokens: one that is believed is the only text of its
// header, payload and signature, and is read the same after it was kept.
func FuzzBelieved(f *testing.F) {
	v := fuzzVerifier(f)
	claims, err := json.Marshal(goodClaims())
	if err != nil {
		f.Fatal(err)
	}
	input := jose.Encode([]byte(`{"alg":"EdDSA"}`)) + "." + jose.Encode(claims)
	good := input + "." + jose.Encode(ed25519.Sign(fuzzKey(), []byte(input)))
	f.Add(good)
	f.Add(good + "=")
	f.Add(good[:len(good)-1] + "B")
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := v.Verify(t.Context(), raw, goodExpect())
		if err != nil {
			checkErrorText(t, err, raw)
			return
		}
		var parts []string
		for _, part := range strings.Split(raw, ".") {
			b, err := jose.Decode(part)
			if err != nil {
				t.Fatal("a part that does not decode was believed")
			}
			parts = append(parts, jose.Encode(b))
		}
		if strings.Join(parts, ".") != raw {
			t.Fatal("another text of a token was believed")
		}
		again, err := Restore(raw)
		if err != nil || again.Issuer() != token.Issuer() || again.Subject() != token.Subject() {
			t.Fatal("a token that was believed is restored as another")
		}
	})
}

// FuzzVerifyLogoutToken signs any header and claims of a logout token: one that
// is believed names the issuer, and somebody or a session.
func FuzzVerifyLogoutToken(f *testing.F) {
	v := fuzzVerifier(f)
	const event = `"events":{"http://schemas.openid.net/event/backchannel-logout":{}}`
	good := `{"iss":"` + testIssuer + `","aud":"` + testClient + `","sub":"anna","sid":"1","jti":"a","iat":1790000000,"exp":1790000100,` + event + `}`
	f.Add(`{"alg":"EdDSA","typ":"logout+jwt"}`, good)
	f.Add(`{"alg":"EdDSA"}`, strings.Replace(good, `"sub":"anna",`, "", 1))
	f.Add(`{"alg":"EdDSA","typ":"JWT"}`, strings.Replace(good, `"jti"`, `"nonce":"n","jti"`, 1))
	f.Fuzz(func(t *testing.T, header, claims string) {
		input := jose.Encode([]byte(header)) + "." + jose.Encode([]byte(claims))
		raw := input + "." + jose.Encode(ed25519.Sign(fuzzKey(), []byte(input)))
		token, err := v.VerifyLogoutToken(t.Context(), raw)
		if err != nil {
			checkErrorText(t, err, header, claims, raw)
			return
		}
		if token.Issuer() != testIssuer || token.Subject() == "" && token.SessionID() == "" {
			t.Fatal("a logout token of nobody was believed")
		}
	})
}

// FuzzRestoreLegacy: a record that is read is written and read again as the same.
func FuzzRestoreLegacy(f *testing.F) {
	f.Add([]byte(`{"iss":"https://op.example","sub":"anna","verified":true,"received_at":"2026-09-21T14:13:20Z","claims":{"a":1}}`))
	f.Add([]byte(`{"iss":"","sub":"anna","verified":false,"received_at":"0001-01-01T00:00:00Z","claims":null}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, stored []byte) {
		first, err := RestoreLegacy(stored)
		if err != nil {
			checkErrorText(t, err, string(stored))
			return
		}
		text, err := first.Store()
		if err != nil {
			t.Fatal(err)
		}
		second, err := RestoreLegacy(text)
		if err != nil || second.Issuer() != first.Issuer() || second.Subject() != first.Subject() || !second.ReceivedAt().Equal(first.ReceivedAt()) {
			t.Fatalf("a record changed: %v", err)
		}
	})
}

// FuzzCacheControl: whatever the header says, keys are fresh for no longer than
// the configured age and no shorter than the pause between two requests.
func FuzzCacheControl(f *testing.F) {
	r := &RemoteKeys{config: RemoteKeysConfig{MaxAge: time.Hour, Cooldown: time.Minute}}
	for _, seed := range []string{"", "max-age=60", `public, MAX-AGE="120"`, "no-store, max-age=9", "max-age=-1", "max-age=99999999999999999999", "=,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if age := r.maxAge(header); age < time.Minute || age > time.Hour {
			t.Fatalf("fresh for %s", age)
		}
	})
}
