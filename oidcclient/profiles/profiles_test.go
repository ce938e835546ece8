package profiles_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

func TestProfilesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range profiles.All() {
		assert.NotEmpty(t, p.Title)
		assert.False(t, seen[p.Name])
		seen[p.Name] = true
		again, ok := profiles.ByName(p.Name)
		assert.True(t, ok)
		assert.Equal(t, p.Title, again.Title)
		if p.Identity == oidcclient.IdentifyNobody {
			assert.NotContains(t, p.Scopes, "openid")
		} else {
			assert.Contains(t, p.RequiredScopes, "openid")
		}
		for _, d := range p.Deviations {
			assert.NotEmpty(t, d.Reason)
			u, err := url.Parse(d.URL)
			require.NoError(t, err)
			assert.Equal(t, "https", u.Scheme)
		}
	}
	_, ok := profiles.ByName("OIDC")
	assert.False(t, ok, "exact names")
	assert.Empty(t, profiles.OpenID().Deviations, "the generic one deviates from nothing")
	assert.Empty(t, profiles.BankID().Deviations)
	assert.Empty(t, profiles.OAuth().Deviations, "it leaves nothing out that OAuth has")
}

// network answers every request of a client with one token response.
type network struct {
	status int
	body   string
	form   url.Values
	header http.Header
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if n.form, err = url.ParseQuery(string(text)); err != nil {
		return nil, err
	}
	n.header = r.Header
	return &http.Response{StatusCode: n.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(n.body)), Request: r}, nil
}

// login begins with client and completes with the answer of n.
func login(t *testing.T, client *oidcclient.Client) (*oidcclient.Session, error) {
	t.Helper()
	_, pending, err := client.Begin(t.Context(), oidcclient.BeginOptions{})
	require.NoError(t, err)
	return client.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}})
}

// The token response that Umbrella Faces published.
func TestPublishedFacesResponse(t *testing.T) {
	n := &network{status: 200, body: `{"access_token":"f88a7119-b585-4c9c-9867-88a40aae41f8","token_type":"bearer",
		"refresh_token":"bab32afe-acf8-4a8e-ba7c-ed567daa0ee4","expires_in":3599,"scope":"email openid profile","id_token":"` + facesToken + `"}`}
	config := oidcclient.Config{
		Profile: profiles.Faces(), Issuer: "https://faces.example", ClientID: "client", ClientSecret: "secret",
		RedirectURI: "https://rp.example/cb", HTTPClient: &http.Client{Transport: n},
		Provider: &oidcclient.ProviderMetadata{AuthorizationEndpoint: "https://faces.example/oauth/authorize", TokenEndpoint: "https://faces.example/oauth/token"},
	}
	_, err := oidcclient.New(config)
	assert.ErrorContains(t, err, "key", "without a key it is refused")
	config.UnverifiedLegacyIdentity = "no key is published"
	_, err = oidcclient.New(config)
	assert.ErrorContains(t, err, "key", "unless asked for twice")
	config.InsecureAcceptUnverified = true
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	session, err := login(t, client)
	require.NoError(t, err)
	assert.Equal(t, "https://faces.example", session.Issuer())
	assert.Equal(t, "3d9205ca-f264-4ad8-b1ac-e645557eaa99", session.Subject())
	assert.Nil(t, session.IDToken())
	assert.False(t, session.Legacy().SignatureVerified())
	assert.ElementsMatch(t, []string{"openid", "profile", "email"}, session.Scopes())
	assert.Equal(t, "Bearer", session.Token().TokenType)
	assert.Empty(t, n.form.Get("client_id"))

	// The published refresh response has no refresh token: the old one stays.
	n.body = `{"access_token":"eb0afd63-7ad3-4b0f-a3cb-bacbbf4cac7c","token_type":"bearer","expires_in":3599}`
	fresh, err := client.Refresh(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, "bab32afe-acf8-4a8e-ba7c-ed567daa0ee4", fresh.Token().RefreshToken)
	assert.Equal(t, "eb0afd63-7ad3-4b0f-a3cb-bacbbf4cac7c", fresh.Token().AccessToken)
	assert.Equal(t, session.Subject(), fresh.Subject())
	assert.Equal(t, "f88a7119-b585-4c9c-9867-88a40aae41f8", session.Token().AccessToken, "the old session is as it was")

	// The same payload as an ID token of a standard provider.
	config.Profile, config.UnverifiedLegacyIdentity, config.InsecureAcceptUnverified = profiles.OpenID(), "", false
	config.Keys = confirming{}
	n.body = `{"access_token":"a","token_type":"Bearer","id_token":"` + facesToken + `"}`
	client, err = oidcclient.New(config)
	require.NoError(t, err)
	_, err = login(t, client)
	assert.ErrorContains(t, err, "iss")
}

// The token response of BankID's pilot of 2017, whose endpoints are given by hand
// and whose nonce is null.
func TestPublishedBankIDResponse(t *testing.T) {
	n := &network{status: 200, body: `{"access_token":"4497db915b5b479191c81a7854a2fa8","expires_in":3600,"scope":"openid","token_type":"Bearer","id_token":"` + bankIDToken + `"}`}
	config := oidcclient.Config{
		Profile: profiles.BankID(), Issuer: "https://preprod.bankidapis.no", ClientID: "Postman", ClientSecret: "1234",
		RedirectURI: "https://rp.example/cb", HTTPClient: &http.Client{Transport: n}, Keys: confirming{}, Scopes: []string{"openid"},
		Provider: &oidcclient.ProviderMetadata{
			AuthorizationEndpoint: "https://preprod.bankidapis.no/oidc/oauth/authorize", TokenEndpoint: "https://preprod.bankidapis.no/oidc/oauth/token",
		},
		Clock: func() time.Time { return time.Unix(1495710600, 0) },
	}
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	_, err = login(t, client)
	assert.ErrorContains(t, err, "nonce", "a nonce was sent, and null is none")
	assert.Equal(t, "Basic UG9zdG1hbjoxMjM0", n.header.Get("Authorization"), "as published")
	assert.Empty(t, n.form.Get("client_id"), "as published: not in the body")

	config.Profile.Refresh.Never = true
	config.Profile.Deviations = []oidcclient.Deviation{{Rule: oidcclient.RuleNonce, Reason: "the pilot answers null", URL: "https://confluence.bankidnorge.no"}}
	client, err = oidcclient.New(config)
	require.NoError(t, err)
	session, err := login(t, client)
	require.NoError(t, err, "no nonce was sent; at_hash is the published access token's")
	assert.Equal(t, []string{"BankID"}, session.AMR())
	_, ok := session.AlternativeSubject()
	assert.False(t, ok, "the pilot has no bankid_altsub, and nothing else is taken for it")

	n.body = strings.Replace(n.body, "4497db915b5b479191c81a7854a2fa8", "4497db915b5b479191c81a7854a2fa9", 1)
	_, err = login(t, client)
	assert.ErrorContains(t, err, "at_hash")
}

func TestPublishedBlockIDErrors(t *testing.T) {
	n := &network{}
	client, err := oidcclient.New(oidcclient.Config{
		Profile: profiles.BlockID(), Issuer: "https://blockid-trial.1kosmos.net/oauth2/community/devx", ClientID: "c", ClientSecret: "s",
		RedirectURI: "https://rp.example/cb", HTTPClient: &http.Client{Transport: n}, Keys: confirming{},
		Provider: &oidcclient.ProviderMetadata{
			AuthorizationEndpoint: "https://blockid-trial.1kosmos.net/oauth2/community/devx/v1/authorize",
			TokenEndpoint:         "https://blockid-trial.1kosmos.net/oauth2/community/devx/v1/token",
		},
	})
	require.NoError(t, err)
	for status, body := range map[int]string{
		401: `{"error_code":401,"message":"Unauthorized"}`,
		404: `{"error_code":404,"message":"Unable to load tenant/community"}`,
	} {
		n.status, n.body = status, body
		_, err := client.LoginWithProof(t.Context(), "proof", oidcclient.BeginOptions{})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "Unauthorized")
		assert.NotContains(t, err.Error(), "Unable")
		assert.Equal(t, "proof", n.form.Get("proof_of_authentication_jwt"))
		assert.NotContains(t, []string{"", "null", "undefined"}, n.form.Get("state"))
	}
	// A callback without iss, and one of another tenant.
	_, pending, err := client.Begin(t.Context(), oidcclient.BeginOptions{})
	require.NoError(t, err)
	_, err = client.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}})
	assert.ErrorContains(t, err, "iss")
	_, err = client.Complete(t.Context(), pending, url.Values{"code": {"c"}, "state": {pending.State()}, "iss": {"https://blockid-dev.1kosmos.net/oauth2/community/devx"}})
	assert.ErrorContains(t, err, "iss")
}

func TestBankIDAssurance(t *testing.T) {
	policy := profiles.BankID().Rules.ACR
	assert.True(t, policy.Satisfies("urn:bankid:bid;LOA=4", "urn:bankid:bid"))
	assert.False(t, policy.Satisfies("urn:bankid:bid;LOA=3", "urn:bankid:bid"))
	assert.False(t, policy.Satisfies("urn:bankid:bis;LOA=4", "urn:bankid:bid"))
	assert.True(t, policy.Satisfies("urn:bankid:bis;LOA=3", "urn:bankid:bis"))
}

func TestBankIDKeepsNumbersOutOfURLs(t *testing.T) {
	client, err := oidcclient.New(oidcclient.Config{
		Profile: profiles.BankID(), Issuer: "https://auth.bankid.no/auth/realms/prod", ClientID: "c", ClientSecret: "s",
		RedirectURI: "https://rp.example/cb", Keys: confirming{},
		Provider: &oidcclient.ProviderMetadata{AuthorizationEndpoint: "https://auth.bankid.no/a", TokenEndpoint: "https://auth.bankid.no/t"},
	})
	require.NoError(t, err)
	for _, hint := range []string{"BID:01017012345", "BIM:12345678:010170", ":01017012345"} {
		_, _, err := client.Begin(t.Context(), oidcclient.BeginOptions{LoginHint: hint})
		assert.ErrorContains(t, err, "login_hint")
		assert.NotContains(t, err.Error(), "0101")
	}
	_, _, err = client.Begin(t.Context(), oidcclient.BeginOptions{LoginHint: "BID"})
	assert.NoError(t, err)
}

var _ idtoken.KeySource = confirming{}

func TestIShareSelfCheckStopsNew(t *testing.T) {
	_, err := oidcclient.New(oidcclient.Config{
		Profile: profiles.IShare(), Issuer: "did:ishare:EU.NL.NTRNL-10000006", ClientID: "did:ishare:EU.NL.NTRNL-10000001",
		RedirectURI: "https://rp.example/cb",
		Provider:    &oidcclient.ProviderMetadata{AuthorizationEndpoint: "https://idp.example/connect/authorize", TokenEndpoint: "https://idp.example/connect/token"},
	})
	assert.ErrorContains(t, err, "TrustAnchors")
}
