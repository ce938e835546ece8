package oidcclient_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// A refreshed legacy identity is the same person's.
func TestRefreshOfAnotherLegacyIdentity(t *testing.T) {
	for name, other := range map[string]func(map[string]any){
		"somebody else": func(claims map[string]any) { claims["openid"] = "somebody-else" },
		"nobody":        func(claims map[string]any) { delete(claims, "openid") },
		"the same":      func(map[string]any) {},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, oidctest.Config{System: oidctest.Faces}, nil)
			session, err := r.login(t.Context())
			require.NoError(t, err)
			r.op.OnToken(func(i *oidctest.Issue) {
				if i.Grant == "refresh_token" {
					other(i.Claims)
				}
			})
			fresh, err := r.client.Refresh(t.Context(), session)
			if name == "the same" {
				require.NoError(t, err)
				assert.Equal(t, session.Subject(), fresh.Subject())
				return
			}
			var refused *oidcclient.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, oidcclient.StepRefresh, refused.Step)
			assert.Nil(t, refused.Session, "its tokens are not this person's")
		})
	}
}

// What names a tenant becomes part of URLs, and of nothing but those.
func TestTenantNames(t *testing.T) {
	for name, tt := range map[string]struct {
		tenant oidcclient.Tenant
		field  string
	}{
		"good":               {oidcclient.Tenant{DNS: "t.example", Community: "acme"}, ""},
		"with a port":        {oidcclient.Tenant{DNS: "t.example:8443", Community: "acme"}, ""},
		"no host":            {oidcclient.Tenant{Community: "acme"}, "Tenant.DNS"},
		"a path":             {oidcclient.Tenant{DNS: "t.example/x", Community: "acme"}, "Tenant.DNS"},
		"a user":             {oidcclient.Tenant{DNS: "t.example@evil.example", Community: "acme"}, "Tenant.DNS"},
		"a query":            {oidcclient.Tenant{DNS: "t.example?x", Community: "acme"}, "Tenant.DNS"},
		"no URL":             {oidcclient.Tenant{DNS: "t.exam ple", Community: "acme"}, "Tenant.DNS"},
		"no community":       {oidcclient.Tenant{DNS: "t.example"}, "Tenant.Community"},
		"one with a path":    {oidcclient.Tenant{DNS: "t.example", Community: "a/../b"}, "Tenant.Community"},
		"one with a query":   {oidcclient.Tenant{DNS: "t.example", Community: "a?b"}, "Tenant.Community"},
		"one that is quoted": {oidcclient.Tenant{DNS: "t.example", Community: "a%2fb"}, "Tenant.Community"},
	} {
		_, err := oidcclient.New(oidcclient.Config{
			Profile: profiles.BlockID(), Tenant: &tt.tenant, ClientID: "c", ClientSecret: "s", RedirectURI: redirectURI,
		})
		if tt.field == "" {
			assert.NoError(t, err, name)
			continue
		}
		var wrong *oidcclient.ConfigError
		require.ErrorAs(t, err, &wrong, name)
		assert.Equal(t, tt.field, wrong.Field, name)
	}
}

// A login by a proof asks for nothing else than one in a browser may.
func TestLoginWithProofChecksItsOptions(t *testing.T) {
	r := newRig(t, oidctest.Config{System: oidctest.BlockID}, nil)
	for check, opts := range map[string]oidcclient.BeginOptions{
		"prompt": {Prompt: []string{"none", "login"}}, "scope": {Scopes: []string{"a b"}}, "claims": {Claims: "[]"},
		"parameters": {Params: map[string][]string{"state": {"x"}}},
	} {
		before := len(r.op.Sent(oidctest.StepAuthorize))
		_, err := r.client.LoginWithProof(t.Context(), "a.b.c", opts)
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused, check)
		assert.Equal(t, check, refused.Check)
		assert.Len(t, r.op.Sent(oidctest.StepAuthorize), before, "nobody is asked")
	}
}

// Without a redirect URI there is nothing that the provider's redirect could be held
// against, and nobody is asked for one.
func TestLoginWithProofNeedsARedirectURI(t *testing.T) {
	for uri, check := range map[string]string{redirectURI: "parameters", "": "redirect_uri"} {
		r := newRig(t, oidctest.Config{System: oidctest.BlockID}, func(c *oidcclient.Config) { c.RedirectURI = uri })
		_, err := r.client.LoginWithProof(t.Context(), "a.b.c", oidcclient.BeginOptions{Params: map[string][]string{"state": {"x"}}})
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, check, refused.Check)
		assert.Empty(t, r.op.Sent(oidctest.StepAuthorize))
	}
}

// An access token that userinfo refuses is dead, which is not the provider's fault.
func TestUserInfoRefusesTheToken(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		r := newRig(t, oidctest.Config{}, nil)
		session, err := r.login(t.Context())
		require.NoError(t, err)
		r.op.Answer(oidctest.StepUserInfo, oidctest.Reply{Status: status, ContentType: "application/json", Body: `{"error":"invalid_token"}`})
		_, err = r.client.UserInfo(t.Context(), session)
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, []any{"access_token", oidcclient.FaultAnswer, status}, []any{refused.Check, refused.Fault, refused.Status})
	}
}

// A refreshed ID token need not repeat what it has of the authentication (OpenID Connect
// Core §12.2): that stays, and what it says anew counts.
func TestRefreshKeepsTheAuthentication(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	r.op.OnToken(func(i *oidctest.Issue) {
		if i.Claims == nil {
			return
		}
		i.Claims["acr"], i.Claims["amr"], i.Claims["sid"], i.Claims["email"] = "high", []string{"pwd", "otp"}, "s-1", "old@example.com"
		if i.Grant == "refresh_token" {
			for _, name := range []string{"acr", "amr", "auth_time", "sid"} {
				delete(i.Claims, name)
			}
			i.Claims["email"] = "new@example.com"
		}
	})
	session, err := r.login(t.Context())
	require.NoError(t, err)
	at, known := session.AuthenticatedAt()
	require.True(t, known)
	fresh, err := r.client.Refresh(t.Context(), session)
	require.NoError(t, err)
	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	sealed, err := sealer.SealSession(fresh)
	require.NoError(t, err)
	opened, err := sealer.OpenSession(sealed)
	require.NoError(t, err)
	for name, s := range map[string]*oidcclient.Session{"refreshed": fresh, "opened": opened} {
		again, known := s.AuthenticatedAt()
		assert.True(t, known, name)
		assert.True(t, at.Equal(again), name)
		assert.Equal(t, []any{"high", []string{"pwd", "otp"}, "s-1"}, []any{s.ACR(), s.AMR(), s.SessionID()}, name)
		var claims struct {
			Email string `json:"email"`
		}
		require.NoError(t, s.Claims(&claims))
		assert.Equal(t, "new@example.com", claims.Email, name)
	}
	assert.Empty(t, fresh.IDToken().ACR())
}

// decryptionKeys has one that fits RSA-OAEP.
func decryptionKeys(t *testing.T) []oidcclient.DecryptionKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return []oidcclient.DecryptionKey{{ID: "d", Private: key}}
}

// A legacy identity says nothing of how and when the person was authenticated, and its
// provider signs nothing else: what would ask that is refused before anybody is asked.
func TestLegacyRefusesWhatNothingAnswers(t *testing.T) {
	op, err := oidctest.New(oidctest.Config{System: oidctest.Faces, RedirectURIs: []string{redirectURI}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, op.Close()) })
	hour, decrypting := time.Hour, decryptionKeys(t)
	config := func() oidcclient.Config {
		c, err := relying.Config(op)
		require.NoError(t, err)
		c.DecryptionKeys = decrypting
		return c
	}
	for field, change := range map[string]func(*oidcclient.Config){
		"": func(c *oidcclient.Config) {
			c.Algorithm, c.ACRValues, c.ResponseMode = "RS256", []string{"high"}, "form_post"
		},
		"MinACR":                 func(c *oidcclient.Config) { c.MinACR = "high" },
		"MaxAge":                 func(c *oidcclient.Config) { c.MaxAge = &hour },
		"IDTokenEncrypted":       func(c *oidcclient.Config) { c.IDTokenEncrypted = &oidcclient.Encrypted{Algorithm: "RSA-OAEP"} },
		"ResponseMode":           func(c *oidcclient.Config) { c.ResponseMode = "jwt" },
		"UserInfoAlgorithm":      func(c *oidcclient.Config) { c.UserInfoAlgorithm = "RS256" },
		"UserInfoIssuers":        func(c *oidcclient.Config) { c.UserInfoIssuers = []string{"https://other.example"} },
		"IntrospectionAlgorithm": func(c *oidcclient.Config) { c.IntrospectionAlgorithm = "RS256" },
		"Algorithm":              func(c *oidcclient.Config) { c.Algorithm, c.Profile.Algorithms = "", []string{"ES256"} },
		"Profile":                func(c *oidcclient.Config) { c.Profile.Rules.MaxLifetime = hour },
	} {
		t.Run("New "+field, func(t *testing.T) {
			c := config()
			change(&c)
			_, err := oidcclient.New(c)
			if field == "" {
				require.NoError(t, err)
				return
			}
			var wrong *oidcclient.ConfigError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, field, wrong.Field)
		})
	}
	client, err := oidcclient.New(config())
	require.NoError(t, err)
	for check, opts := range map[string]oidcclient.BeginOptions{
		"": {ACRValues: []string{"high"}}, "acr": {MinACR: "high"}, "max_age": {MaxAge: &hour},
	} {
		_, _, err := client.Begin(t.Context(), opts)
		if check == "" {
			require.NoError(t, err)
			continue
		}
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, []any{oidcclient.StepBegin, check}, []any{refused.Step, refused.Check})
	}
	_, err = client.LoginWithGrant(t.Context(), url.Values{"grant_type": {"x"}}, oidcclient.GrantExpect{MinACR: "high"})
	var refused *oidcclient.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "acr", refused.Check)
	assert.Empty(t, op.Sent(oidctest.StepToken), "nobody is asked")
}
