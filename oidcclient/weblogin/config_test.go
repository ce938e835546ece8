package weblogin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

func clientWith(t *testing.T, redirectURI string) *oidcclient.Client {
	t.Helper()
	c, err := oidcclient.New(oidcclient.Config{
		Profile: profiles.OpenID(), Issuer: "https://op.example", ClientID: "c", ClientSecret: "s", RedirectURI: redirectURI,
	})
	require.NoError(t, err)
	return c
}

// onlySessions is a store that remembers no used logins.
type onlySessions struct{ SessionStore }

func TestNewChecksItsConfig(t *testing.T) {
	client := clientWith(t, "https://app.example/callback/op")
	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(t, err)
	good := func() Config {
		return Config{BaseURL: "https://app.example", Clients: map[string]*oidcclient.Client{"op": client}}
	}
	_, err = New(good())
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no BaseURL":             {func(c *Config) { c.BaseURL = "" }, "BaseURL"},
		"BaseURL over http":      {func(c *Config) { c.BaseURL = "http://app.example" }, "BaseURL"},
		"BaseURL with a query":   {func(c *Config) { c.BaseURL = "https://app.example?x" }, "BaseURL"},
		"BaseURL with a user":    {func(c *Config) { c.BaseURL = "https://u@app.example" }, "BaseURL"},
		"BaseURL of dots":        {func(c *Config) { c.BaseURL = "https://app.example/a/../b" }, "BaseURL"},
		"BaseURL with a pattern": {func(c *Config) { c.BaseURL = "https://app.example/{x}" }, "BaseURL"},
		"BaseURL of slashes":     {func(c *Config) { c.BaseURL = "https://app.example//" }, "BaseURL"},
		"no clients":             {func(c *Config) { c.Clients = nil }, "Clients is empty"},
		"nil client":             {func(c *Config) { c.Clients["x"] = nil }, `client "x"`},
		"client's name":          {func(c *Config) { c.Clients["a/b"] = client }, `client "a/b"`},
		"client's redirect URI":  {func(c *Config) { c.Clients["other"] = client }, "https://app.example/callback/other"},
		"cookie name":            {func(c *Config) { c.CookieName = "a b" }, "CookieName"},
		"store without sealer":   {func(c *Config) { c.Sessions = NewMemory(nil) }, "Sealer is missing"},
		"store without replay":   {func(c *Config) { c.Sessions, c.Sealer = onlySessions{NewMemory(nil)}, sealer }, "Replay is missing"},
		"negative lifetime":      {func(c *Config) { c.Lifetime = -time.Second }, "negative"},
		"negative idle timeout":  {func(c *Config) { c.IdleTimeout = -time.Second }, "negative"},
		"login elsewhere":        {func(c *Config) { c.LoginPath = "//e.example" }, "LoginPath"},
	} {
		t.Run(name, func(t *testing.T) {
			c := good()
			tt.change(&c)
			_, err := New(c)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	c := good()
	c.Sessions, c.Sealer, c.Replay = onlySessions{NewMemory(nil)}, sealer, NewMemory(nil)
	_, err = New(c)
	assert.NoError(t, err)
}

func TestPrefix(t *testing.T) {
	s := newSite(t, rig{
		client: func(id string, c *oidcclient.Config) {
			c.RedirectURI = c.RedirectURI[:len(c.RedirectURI)-len("/callback/"+id)] + "/auth/callback/" + id
		},
		config: func(c *Config) { c.BaseURL += "/auth/" },
	})
	s.ops["op"].SetRedirectURIs(s.url + "/auth/callback/op")
	b := s.browser()
	_, target, _ := b.follow(b.ask("/auth/login/op", nil), s.url+"/auth/callback/")
	assert.Equal(t, s.url+"/", b.ask(target, nil).to(t))
	assert.Equal(t, 200, b.ask("/auth/session", nil).StatusCode)
	assert.Equal(t, 404, b.ask("/session", nil).StatusCode)
}
