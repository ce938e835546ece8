package idtoken_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/corpus"
)

// keySource returns what a case verifies signatures with.
func keySource(s corpus.Setup) (idtoken.KeySource, error) {
	switch {
	case s.Anchors != nil:
		return idtoken.NewCertificateChain(idtoken.ChainConfig{
			Anchors: s.Anchors, Issuer: s.Issuer, Thumbprints: s.Thumbprints, PEMTail: s.PEMTail, Clock: clock(s),
		})
	case s.Keys != nil:
		return idtoken.PinnedKeys(s.Keys)
	}
	return nil, nil
}

func clock(s corpus.Setup) func() time.Time { return func() time.Time { return s.Now } }

// newVerifier makes the client of a case.
func newVerifier(s corpus.Setup) (*idtoken.Verifier, error) {
	keys, err := keySource(s)
	if err != nil {
		return nil, err
	}
	return idtoken.NewVerifier(idtoken.Config{
		Issuer: s.Issuer, ClientID: s.Client, TrustedAudiences: s.TrustedAudiences, Algorithms: s.Algorithms, Keys: keys, Secret: s.Secret,
		Skew: s.Skew, Clock: clock(s),
		Rules: idtoken.Rules{
			StringDates: s.StringDates, HeaderMembers: s.HeaderMembers, SingleAudience: s.SingleAudience, Lifetime: s.Lifetime,
			MaxLifetime: s.MaxLifetime, MaxSkew: s.MaxSkew, Required: s.Required, ACR: idtoken.ACRPolicy{Ordered: [][]string{s.ACROrder}},
		},
	})
}

func expected(t *testing.T, s corpus.Setup) idtoken.Expect {
	expect := idtoken.Expect{
		Nonce: s.Nonce, AccessToken: s.AccessToken, Code: s.Code, State: s.State, RequireHashes: s.HashesRequired, RequireStateHash: s.HashesRequired, MaxAge: s.MaxAge, MinACR: s.MinACR,
	}
	if s.Original != "" {
		var err error
		expect.Original, err = idtoken.Restore(s.Original)
		require.NoError(t, err)
	}
	return expect
}

// verify decides about the input of a case of a kind, and says whether anything
// came out beside the error.
func verify(t *testing.T, kind string, c corpus.Case, s corpus.Setup) (believed bool, err error) {
	t.Helper()
	if kind == corpus.Legacy().Name {
		return verifyLegacy(t.Context(), c, s)
	}
	input := c.Input
	if kind == corpus.KeySet().Name {
		s.Keys, input = []byte(c.Input), s.Token
	}
	v, err := newVerifier(s)
	if err != nil {
		return false, configError{err}
	}
	return verifyBy(t, v, kind, input, s)
}

// verifyBy decides about a text of a kind.
func verifyBy(t *testing.T, v *idtoken.Verifier, kind, text string, s corpus.Setup) (believed bool, err error) {
	t.Helper()
	switch kind {
	case corpus.LogoutToken().Name:
		token, err := v.VerifyLogoutToken(t.Context(), text)
		return token != nil, err
	case corpus.UserInfo().Name:
		info, err := v.VerifyUserInfo(t.Context(), text, idtoken.UserInfoExpect{Issuers: s.UserInfoIssuers, Subject: s.Subject})
		if err != nil {
			return info != nil, err
		}
		var standard struct {
			EmailVerified bool `json:"email_verified"`
		}
		if err := info.Claims(&standard); err != nil {
			return false, claimsError{err}
		}
		return true, nil
	}
	token, err := v.Verify(t.Context(), text, expected(t, s))
	if err == nil {
		assert.Equal(t, text, token.Raw())
	}
	return token != nil, err
}

func verifyLegacy(ctx context.Context, c corpus.Case, s corpus.Setup) (bool, error) {
	keys, err := keySource(s)
	if err != nil {
		return false, configError{err}
	}
	v, err := idtoken.NewLegacyVerifier(idtoken.LegacyConfig{Issuer: s.Issuer, SubjectMember: s.SubjectMember, Keys: keys, Clock: clock(s)})
	if err != nil {
		return false, configError{err}
	}
	identity, err := v.Verify(ctx, c.Input)
	return identity != nil, err
}

// Errors that are no refusal of a check.
type (
	configError struct{ error } // the client of a case can't be made
	claimsError struct{ error } // claims that are believed can't be read
)

// outcome is what a case may expect: "ok", a check's name, or how it ended
// before a check was made.
func outcome(kind string, err error) string {
	var refusal *idtoken.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &configError{}) && kind == corpus.KeySet().Name:
		return "refused"
	case errors.As(err, &configError{}):
		return "config"
	case errors.As(err, &claimsError{}):
		return "claims"
	case errors.As(err, &refusal):
		return refusal.Check.String()
	}
	return "an error that is no *idtoken.Error: " + err.Error()
}

// Each input of the corpus ends where its file says.
func TestCorpus(t *testing.T) {
	for _, kind := range corpus.TokenKinds() {
		cases, err := kind.Load(corpus.Files())
		require.NoError(t, err)
		for _, c := range cases {
			t.Run(kind.Name+"/"+c.Name, func(t *testing.T) {
				s, err := c.Setup(corpus.Files())
				require.NoError(t, err)
				believed, err := verify(t, kind.Name, c, s)
				require.Equal(t, c.Expect, outcome(kind.Name, err), "%s: %v", c.About, err)
				assert.Equal(t, c.Expect == "ok", believed)
				if err != nil {
					assertSilent(t, err, c.Input)
					assertSilent(t, err, s.Token)
				}
				var refusal *idtoken.Error
				if errors.As(err, &refusal) {
					assert.False(t, refusal.Retryable(), "all keys could be had")
				}
			})
		}
	}
}

// What a client has seen before changes nothing: neither what it believed nor what
// it refused.
func TestCorpusBySharedVerifiers(t *testing.T) {
	for _, kind := range []corpus.Kind{corpus.IDToken(), corpus.LogoutToken(), corpus.UserInfo()} {
		cases, err := kind.Load(corpus.Files())
		require.NoError(t, err)
		verifiers := map[string]*idtoken.Verifier{}
		// Once there and once back.
		for i := range 2 * len(cases) {
			c := cases[min(i, 2*len(cases)-1-i)]
			s, err := c.Setup(corpus.Files())
			require.NoError(t, err)
			v, known := verifiers[clientOf(c)]
			if !known {
				if v, err = newVerifier(s); err != nil {
					continue
				}
				verifiers[clientOf(c)] = v
			}
			_, err = verifyBy(t, v, kind.Name, c.Input, s)
			assert.Equal(t, c.Expect, outcome(kind.Name, err), "%s/%s", kind.Name, c.Name)
		}
	}
}

// A token of one kind is none of another, also by a verifier that believed it as
// what it is and remembers its header.
func TestCorpusAcrossKinds(t *testing.T) {
	id, login := load(t, corpus.IDToken(), "T04-rs256")
	logouts, err := corpus.LogoutToken().Load(corpus.Files())
	require.NoError(t, err)
	v, err := newVerifier(login)
	require.NoError(t, err)
	for _, c := range logouts {
		if c.Expect != "ok" {
			continue
		}
		_, err := v.VerifyLogoutToken(t.Context(), c.Input)
		require.NoError(t, err, c.Name)
		_, err = v.Verify(t.Context(), c.Input, expected(t, login))
		assert.Error(t, err, "%s as an ID token", c.Name)
		_, err = v.VerifyUserInfo(t.Context(), c.Input, idtoken.UserInfoExpect{Issuers: []string{login.Issuer}, Subject: "another"})
		assert.Error(t, err, "%s as userinfo", c.Name)
	}
	_, err = v.Verify(t.Context(), id.Input, expected(t, login))
	require.NoError(t, err)
	_, err = v.VerifyLogoutToken(t.Context(), id.Input)
	assert.Equal(t, "event", outcome("", err))
	legacy, _ := load(t, corpus.Legacy(), "T27-good")
	_, err = v.Verify(t.Context(), legacy.Input, expected(t, login))
	assert.Equal(t, "iss", outcome("", err))
}

// clientOf is the same for cases of the same client.
func clientOf(c corpus.Case) string {
	fields := maps.Clone(c.Fields)
	for _, name := range []string{"nonce", "access-token", "code", "state", "hashes-required", "max-age", "min-acr", "original", "userinfo-issuer", "subject"} {
		delete(fields, name)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Every check, every way to end and every class of mistake that tokens can show
// has a case.
func TestCorpusIsComplete(t *testing.T) {
	classes, ends := map[string]bool{}, map[string]bool{}
	for _, kind := range corpus.TokenKinds() {
		cases, err := kind.Load(corpus.Files())
		require.NoError(t, err)
		of := map[string]bool{}
		for _, c := range cases {
			of[c.Expect], ends[c.Expect], classes[c.Class] = true, true, true
		}
		for _, end := range append(kind.Expect, "ok") {
			assert.True(t, of[end], "no case of %s ends with %s", kind.Name, end)
		}
	}
	for _, check := range idtoken.Checks() {
		assert.True(t, ends[check.String()], "no case fails at %s", check)
	}
	for _, class := range strings.Fields("T01 T02 T03 T04 T05 T06 T07 T08 T09 T10 T11 T12 T13 T20 T21 T22 T23 T24 T25 T26 T27 T28 T29 T37 T39 T56 T57 T58 T59") {
		assert.True(t, classes[class], "no case of class %s", class)
	}
}

// assertSilent looks for pieces of a token in an error.
func assertSilent(t *testing.T, err error, raw string) {
	t.Helper()
	text := err.Error()
	for i, part := range strings.SplitN(raw, ".", 4) {
		if len(part) > 8 {
			assert.NotContains(t, text, part)
		}
		decoded, err := base64.RawURLEncoding.DecodeString(part)
		var value any
		if err == nil && i < 2 && json.Unmarshal(decoded, &value) == nil {
			assertNoValue(t, text, value)
		}
	}
}

func assertNoValue(t *testing.T, text string, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for _, v := range value {
			assertNoValue(t, text, v)
		}
	case []any:
		for _, v := range value {
			assertNoValue(t, text, v)
		}
	case string:
		if len(value) > 8 {
			assert.NotContains(t, text, value)
		}
	}
}
