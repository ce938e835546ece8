package oidcclient_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

const redirectURI = "http://127.0.0.1:1/callback"

// rig is a provider and the client for it.
type rig struct {
	op     *oidctest.Provider
	client *oidcclient.Client
}

func newRig(t *testing.T, op oidctest.Config, change func(*oidcclient.Config)) *rig {
	t.Helper()
	op.RedirectURIs = []string{redirectURI}
	provider, err := oidctest.New(op)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, provider.Close()) })
	config, err := relying.Config(provider)
	require.NoError(t, err)
	if change != nil {
		change(&config)
	}
	client, err := oidcclient.New(config)
	require.NoError(t, err)
	return &rig{provider, client}
}

func (r *rig) login(ctx context.Context) (*oidcclient.Session, error) {
	auth, pending, err := r.client.Begin(ctx, oidcclient.BeginOptions{})
	if err != nil {
		return nil, err
	}
	values, err := relying.Browse(ctx, redirectURI, auth)
	if err != nil {
		return nil, err
	}
	return r.client.Complete(ctx, pending, values)
}

func TestLoginWithEachSystem(t *testing.T) {
	for _, system := range oidctest.Systems() {
		t.Run(system.String(), func(t *testing.T) {
			hasUserInfo := system == oidctest.Generic || system == oidctest.IShare || system == oidctest.BankID
			r := newRig(t, oidctest.Config{System: system}, func(c *oidcclient.Config) { c.UserInfo = hasUserInfo })
			session, err := r.login(t.Context())
			require.NoError(t, err)
			assert.Equal(t, r.client.Issuer(), session.Issuer())
			assert.NotEmpty(t, session.Subject())
			assert.Equal(t, hasUserInfo, session.HasUserInfo())
			assert.NotEmpty(t, session.Token().AccessToken)
			claims := map[string]any{}
			require.NoError(t, session.Claims(&claims))
			assert.NotEmpty(t, claims)

			sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
			require.NoError(t, err)
			sealed, err := sealer.SealSession(session)
			require.NoError(t, err)
			opened, err := sealer.OpenSession(sealed)
			require.NoError(t, err)
			assert.Equal(t, session.Subject(), opened.Subject())
			assert.Equal(t, session.Token(), opened.Token())
			assert.Equal(t, session.IDToken().Raw(), opened.IDToken().Raw())
			assert.Equal(t, session.ACR(), opened.ACR())
			assert.Equal(t, session.Legacy() != nil, opened.Legacy() != nil)
			again := map[string]any{}
			require.NoError(t, opened.Claims(&again))
			assert.Equal(t, claims, again)

			if !opened.CanRefresh() {
				assert.Equal(t, oidctest.IShare, system, "only iSHARE forbids it")
				return
			}
			fresh, err := r.client.Refresh(t.Context(), opened)
			require.NoError(t, err)
			assert.Equal(t, session.Subject(), fresh.Subject())
			assert.NotEqual(t, session.Token().AccessToken, fresh.Token().AccessToken)
			assert.True(t, fresh.CanRefresh(), "a refresh token that is not replaced is kept")
			assert.Equal(t, session.StartedAt().UTC(), fresh.StartedAt().UTC())
		})
	}
}

// A legacy identity has to have what was asked for too.
func TestAskedClaimsOfALegacyIdentity(t *testing.T) {
	for request, good := range map[string]bool{
		`{"id_token":{"no-such-claim":{"essential":true}}}`: true, `{"id_token":{"no-such-claim":{"essential":true,"value":"x"}}}`: false,
	} {
		r := newRig(t, oidctest.Config{System: oidctest.Faces}, func(c *oidcclient.Config) { c.Authorize.Claims = request })
		session, err := r.login(t.Context())
		if good {
			require.NoError(t, err)
			require.NotNil(t, session.Legacy())
			continue
		}
		var refused *oidcclient.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "claims", refused.Check)
		assert.Equal(t, oidcclient.StepIdentity, refused.Step)
	}
}

func TestClientAuthenticationMethodsAgainstProvider(t *testing.T) {
	for _, method := range []string{"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"} {
		t.Run(method, func(t *testing.T) {
			r := newRig(t, oidctest.Config{AuthMethod: method}, nil)
			session, err := r.login(t.Context())
			require.NoError(t, err)
			if session.CanRefresh() {
				_, err = r.client.Refresh(t.Context(), session)
				require.NoError(t, err)
			}
		})
	}
}

func TestFormPost(t *testing.T) {
	r := newRig(t, oidctest.Config{}, func(c *oidcclient.Config) { c.ResponseMode = "form_post" })
	_, err := r.login(t.Context())
	require.NoError(t, err)
}

func TestIShareEncryptedRequest(t *testing.T) {
	op := oidctest.Config{System: oidctest.IShare, IShare: oidctest.IShareOptions{EncryptedRequests: true, PEMTail: true}}
	r := newRig(t, op, nil)
	_, err := r.login(t.Context())
	require.Error(t, err, "this provider takes only encrypted requests")

	registered := r.op.Client()
	config, err := relying.Config(r.op)
	require.NoError(t, err)
	config.RequestEncryption, err = relying.Encryption(registered)
	require.NoError(t, err)
	r.client, err = oidcclient.New(config)
	require.NoError(t, err)
	_, err = r.login(t.Context())
	require.NoError(t, err)
}

func TestMachineToMachine(t *testing.T) {
	r := newRig(t, oidctest.Config{System: oidctest.IShare}, nil)
	token, err := r.client.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}, "scope": {"iSHARE"}})
	require.NoError(t, err)
	assert.NotEmpty(t, token.AccessToken)
	assert.WithinDuration(t, time.Now().Add(time.Hour), token.Expiry, time.Minute)

	for _, shape := range []oidctest.RefusalShape{oidctest.RefuseOAuth, oidctest.RefuseWithOK, oidctest.RefuseWithAccepted} {
		r := newRig(t, oidctest.Config{System: oidctest.IShare, IShare: oidctest.IShareOptions{Refusals: shape}}, nil)
		_, err := r.client.Token(t.Context(), url.Values{"grant_type": {"client_credentials"}, "scope": {"other"}})
		var refused *oidcclient.Error
		require.True(t, errors.As(err, &refused), "%v", err)
		assert.Equal(t, oidcclient.StepGrant, refused.Step)
	}
}

func TestLoginWithProof(t *testing.T) {
	r := newRig(t, oidctest.Config{System: oidctest.BlockID}, nil)
	proof, err := r.op.ProofOfAuthentication(r.op.Persons()[0].Subject)
	require.NoError(t, err)
	session, err := r.client.LoginWithProof(t.Context(), proof, oidcclient.BeginOptions{})
	require.NoError(t, err)
	assert.NotEmpty(t, session.Subject())

	_, err = r.client.LoginWithProof(t.Context(), "not.a.proof", oidcclient.BeginOptions{})
	assert.Error(t, err)
}

func TestTokensThatAreRefused(t *testing.T) {
	set := func(name string, value any) func(*oidctest.Issue) {
		return func(issue *oidctest.Issue) {
			if value == nil {
				delete(issue.Claims, name)
				return
			}
			issue.Claims[name] = value
		}
	}
	tests := map[string]struct {
		system oidctest.System
		tamper func(*oidctest.Issue)
		check  idtoken.Check
	}{
		"another issuer":       {oidctest.Generic, set("iss", "https://evil.example"), idtoken.CheckIssuer},
		"another audience":     {oidctest.Generic, set("aud", "somebody"), idtoken.CheckAudience},
		"another party":        {oidctest.Generic, set("azp", "somebody"), idtoken.CheckAuthorizedParty},
		"expired":              {oidctest.Generic, set("exp", 1000), idtoken.CheckExpiry},
		"not yet":              {oidctest.Generic, set("nbf", 4e9), idtoken.CheckNotBefore},
		"iat missing":          {oidctest.Generic, set("iat", nil), idtoken.CheckIssuedAt},
		"sub missing":          {oidctest.Generic, set("sub", nil), idtoken.CheckSubject},
		"nonce missing":        {oidctest.Generic, set("nonce", nil), idtoken.CheckNonce},
		"nonce of another":     {oidctest.Generic, set("nonce", "x"), idtoken.CheckNonce},
		"wrong at_hash":        {oidctest.Generic, set("at_hash", "x"), idtoken.CheckAccessTokenHash},
		"wrong c_hash":         {oidctest.Generic, set("c_hash", "x"), idtoken.CheckCodeHash},
		"alg none":             {oidctest.Generic, func(i *oidctest.Issue) { i.Header["alg"] = "none" }, idtoken.CheckShape},
		"alg HS256":            {oidctest.Generic, func(i *oidctest.Issue) { i.Header["alg"] = "HS256" }, idtoken.CheckHeader},
		"access token's typ":   {oidctest.Generic, func(i *oidctest.Issue) { i.Header["typ"] = "at+jwt" }, idtoken.CheckHeader},
		"crit":                 {oidctest.Generic, func(i *oidctest.Issue) { i.Header["crit"] = []string{"x"} }, idtoken.CheckHeader},
		"lower acr":            {oidctest.BankID, set("acr", "urn:bankid:bis;LOA=3"), idtoken.CheckACR},
		"iSHARE acr missing":   {oidctest.IShare, set("acr", nil), idtoken.CheckExtra},
		"iSHARE kid":           {oidctest.IShare, func(i *oidctest.Issue) { i.Header["kid"] = "x" }, idtoken.CheckHeader},
		"iSHARE aud array":     {oidctest.IShare, func(i *oidctest.Issue) { i.Claims["aud"] = []any{i.Claims["aud"]} }, idtoken.CheckAudience},
		"iSHARE jti missing":   {oidctest.IShare, set("jti", nil), idtoken.CheckExtra},
		"Faces with an issuer": {oidctest.Faces, set("iss", "https://evil.example"), idtoken.CheckIssuer},
		"Faces without openid": {oidctest.Faces, set("openid", nil), idtoken.CheckSubject},
		"BlockID dates":        {oidctest.BlockID, set("exp", "4000000000"), idtoken.CheckExpiry},
	}
	rigs := map[oidctest.System]*rig{}
	for _, system := range oidctest.Systems() {
		rigs[system] = newRig(t, oidctest.Config{System: system}, func(c *oidcclient.Config) {
			if system == oidctest.BankID {
				c.MinACR = "urn:bankid:bid"
			}
		})
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := rigs[tt.system]
			r.op.OnToken(func(i *oidctest.Issue) {
				if i.Step == oidctest.StepToken {
					tt.tamper(i)
				}
			})
			session, err := r.login(t.Context())
			assert.Nil(t, session)
			var refused *idtoken.Error
			require.True(t, errors.As(err, &refused), "%v", err)
			assert.Equal(t, tt.check.String(), refused.Check.String(), "%v", err)
			var ours *oidcclient.Error
			require.True(t, errors.As(err, &ours))
			assert.Equal(t, oidcclient.StepIdentity, ours.Step)
			assert.Equal(t, tt.check.String(), ours.Check)

			r.op.OnToken(nil)
			_, err = r.login(t.Context())
			assert.NoError(t, err, "the next login works")
		})
	}
}

func TestOutageIsSurvived(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	r.op.Down(true)
	_, err := r.login(t.Context())
	var down *oidcclient.Error
	require.True(t, errors.As(err, &down), "%v", err)
	assert.Equal(t, oidcclient.FaultOutage, down.Fault)
	assert.True(t, down.Retryable())
	r.op.Down(false)
	session, err := r.login(t.Context())
	require.NoError(t, err)

	r.op.Down(true)
	_, err = r.client.Refresh(t.Context(), session)
	require.True(t, errors.As(err, &down))
	assert.False(t, down.LoginAgain())
	r.op.Down(false)
	_, err = r.client.Refresh(t.Context(), session)
	require.NoError(t, err)
	_, err = r.client.Refresh(t.Context(), session)
	require.True(t, errors.As(err, &down))
	assert.True(t, down.LoginAgain(), "the old refresh token is used up")
	assert.Equal(t, "invalid_grant", down.Code)
}

func TestNoErrorHoldsSecrets(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	config, err := relying.Config(r.op)
	require.NoError(t, err)
	const secret = "s3cr3t-text-of-the-provider"
	for _, step := range []oidctest.Step{oidctest.StepDiscovery, oidctest.StepToken, oidctest.StepKeys} {
		for _, reply := range []oidctest.Reply{
			{Status: 500, Body: secret}, {Status: 400, Body: `{"error":"invalid_grant","error_description":"` + secret + `"}`},
			{Status: 200, ContentType: "text/html", Body: secret}, {Status: 302, Header: map[string][]string{"Location": {"http://127.0.0.1:1/" + secret}}},
		} {
			client, err := oidcclient.New(config) // which knows nothing yet
			require.NoError(t, err)
			r.client = client
			r.op.Answer(step, reply)
			_, err = r.login(t.Context())
			require.Error(t, err)
			for ; err != nil; err = errors.Unwrap(err) {
				assert.NotContains(t, err.Error(), secret)
				assert.NotContains(t, err.Error(), r.op.Client().ClientSecret)
			}
		}
	}
}

// A login that began at one replica ends at another that knows no metadata yet.
func TestCompleteWithoutMetadata(t *testing.T) {
	r := newRig(t, oidctest.Config{}, nil)
	auth, pending, err := r.client.Begin(t.Context(), oidcclient.BeginOptions{})
	require.NoError(t, err)
	values, err := relying.Browse(t.Context(), redirectURI, auth)
	require.NoError(t, err)
	config, err := relying.Config(r.op)
	require.NoError(t, err)
	other, err := oidcclient.New(config)
	require.NoError(t, err)
	r.op.Answer(oidctest.StepDiscovery, oidctest.Reply{Status: 503})
	_, err = other.Complete(t.Context(), pending, values)
	var failed *oidcclient.Error
	require.ErrorAs(t, err, &failed)
	assert.True(t, failed.Retryable())
	_, err = other.Complete(t.Context(), pending, values)
	require.NoError(t, err, "the code was not used up")
}
