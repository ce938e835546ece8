package conformance

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// regionalModules are those that a country adds to a plan of FAPI: the United Kingdom
// the identifier of what the person agrees to, Australia verified claims, Brazil
// registration by a directory and signed consents.
func regionalModules() []module {
	both := []variant{detached, signed}
	out := []module{
		{"fapi1-advanced-final-client-test-invalid-openbanking-intent-id", both, func(r *rp) {
			r.fapi1()
			r.refusesAnotherIntent()
		}},
		{"fapi1-advanced-final-client-brazildcr-happypath-test", both, inEach(fapi1Settings(), (*rp).registersByStatement)},
		{"fapi1-advanced-final-client-test-payment-consent-response-valid-aud-as-array", both, (*rp).readsConsents},
		connectID("invalid-missing-txn", "profile", without("txn")),
		connectID("invalid-missing-trust-framework", "claims", func(t *JWT) { delete(verificationIn(t), "trust_framework") }),
		connectID("invalid-wrong-trust-framework", "claims", func(t *JWT) { verificationIn(t)["trust_framework"] = "au_connectid1" }),
	}
	for _, plan := range fapi2Plans() {
		out = append(out, plan.plays("test-invalid-openbanking-intent-id", withJARM(), (*rp).refusesAnotherIntent),
			plan.plays("brazildcr-happypath-test", withJARM(), (*rp).registersByStatement))
	}
	return out
}

// refusesAnotherIntent demands that an ID token is refused that is about something else
// than the person was asked to agree to.
func (r *rp) refusesAnotherIntent() {
	r.Helper()
	r.begin.Claims = `{"id_token":{"openbanking_intent_id":{"essential":true,"value":"urn:op:intent:58923"},"acr":{"essential":true,"values":["urn:openbanking:psd2:sca","urn:openbanking:psd2:ca"]}}}`
	r.Run("the same", func(t *testing.T) { r := r.again(t); r.finished(r.login()) })
	r.refusesIDTokens("claims", more("openbanking_intent_id"))
}

// connectID is a module in which a provider of ConnectID spoils its ID token. That it
// has txn is demanded by the configuration: a provider may leave out what is essential
// and no more (OpenID Connect Core §5.5.1).
func connectID(name, check string, spoil func(*JWT)) module {
	return module{"fapi-ciba-id1-client-connectid-" + name + "-test", []variant{detached}, inEach(cibaSettings(), func(r *rp) {
		r.config.Profile.Rules.Required = []string{"txn"}
		r.begin.Claims = `{"id_token":{"txn":{"essential":true},"verified_claims":{"verification":{"trust_framework":{"value":"au_connectid"}},"claims":{"over18":{"essential":true}}}}}`
		r.Run("all of it", func(t *testing.T) {
			var said struct {
				Verified struct {
					Claims struct {
						Over18 bool `json:"over18"`
					} `json:"claims"`
				} `json:"verified_claims"`
			}
			r := r.again(t)
			require.NoError(r, r.opened(r.agree()).Claims(&said))
			assert.True(r, said.Verified.Claims.Over18)
		})
		r.refusesAgreed(check, spoil)
	})}
}

func verificationIn(t *JWT) map[string]any {
	return t.Claims["verified_claims"].(map[string]any)["verification"].(map[string]any)
}

// registersByStatement registers with a software statement, finishes a login, and asks
// twice what is registered; and does the first two once more with a client that registers
// itself.
func (r *rp) registersByStatement() {
	r.Helper()
	r.op.DemandStatements(theRSAKey().Public())
	const keys = "https://directory.example/client.jwks"
	metadata := map[string]any{
		"redirect_uris": []string{r.config.RedirectURI}, "jwks_uri": keys, "token_endpoint_auth_method": r.config.AuthMethod,
		"software_statement": r.op.compact(&JWT{Header: map[string]any{"alg": "PS256", "typ": "JWT"}, Key: theRSAKey(), Claims: map[string]any{
			"iss": "directory", "iat": r.op.Now.Unix(), "software_id": "software-1", "software_jwks_uri": keys, "software_redirect_uris": []string{r.config.RedirectURI},
		}}),
	}
	registrar := oidcclient.Registrar{Endpoint: r.op.Issuer + "/register", HTTPClient: r.certified()}
	made, err := registrar.Register(r.Context(), metadata)
	require.NoError(r, err)
	r.config.ClientID = made.ClientID
	r.finished(r.login())
	for range 2 {
		before := made
		made, err = registrar.Read(r.Context(), made)
		require.NoError(r, err)
		assert.Equal(r, r.config.ClientID, made.ClientID)
		assert.NotEqual(r, before.AccessToken, made.AccessToken, "each answer has another")
		var is struct {
			URIs []string `json:"redirect_uris"`
		}
		require.NoError(r, made.Metadata(&is))
		assert.Equal(r, []string{r.config.RedirectURI}, is.URIs)
	}
	assert.Len(r, r.op.Calls(Managed), 2)

	delete(metadata, "redirect_uris")
	delete(metadata, "token_endpoint_auth_method")
	r.made, r.config.ClientID, r.config.Register = nil, "", &oidcclient.RegistrationRequest{Metadata: metadata}
	cert := clientCertificate()
	r.config.ClientCertificate = &cert
	r.finished(r.login())
	assert.Len(r, r.op.Calls(Register), 2)

	metadata["software_statement"] = Break(metadata["software_statement"].(string))
	r.made = nil
	_, err = r.login()
	assert.Equal(r, "invalid_software_statement", r.refused(err, oidcclient.StepRegister, "").Code)
}

// certified is an HTTP client that shows the relying party's certificate.
func (r *rp) certified() *http.Client {
	client := *r.op.HTTPClient()
	transport := client.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.Certificates = append(transport.TLSClientConfig.Certificates, clientCertificate())
	client.Transport = transport
	return &client
}

// readsConsents demands that an answer about a consent is believed whether its audience
// is a text or an array, and not when it is for somebody else; and finishes the login
// that the person agrees in.
func (r *rp) readsConsents() {
	r.Helper()
	r.fapi1()
	r.op.TakeConsents(clientKey().Public())
	var id string
	var spoil func(*JWT)
	r.op.ChangeJWT(func(t *JWT) { spoil(t) }, ConsentToken)
	for _, tt := range []struct {
		check string
		spoil func(*JWT)
	}{
		{"", func(*JWT) {}},
		{"", audienceAsArray},
		{"", func(t *JWT) { t.Claims["aud"] = []string{"another-organisation", ClientOrganisation} }},
		{"aud", func(t *JWT) { t.Claims["aud"] = []string{"another-organisation"} }},
		{"aud", more("aud")},
		{"iss", more("iss")},
		{"signature", broken},
	} {
		spoil = tt.spoil
		said, err := r.consent()
		if tt.check != "" {
			var refused *idtoken.Error
			require.ErrorAs(r, err, &refused)
			assert.Equal(r, tt.check, refused.Check.String())
			continue
		}
		require.NoError(r, err)
		id = said
	}
	r.begin.Scopes = []string{"consent:" + id}
	r.finished(r.login())
}

// consent says what the person will be asked for, and returns the name that the answer
// gives it.
func (r *rp) consent() (string, error) {
	r.Helper()
	source := &grants.Source{Client: r.client(), Want: grants.Request{Scopes: []string{"payments"}}, Clock: r.config.Clock}
	at := r.op.Issuer + "/payments/consents"
	asked := r.op.compact(&JWT{Header: map[string]any{"alg": "ES256", "typ": "JWT"}, Key: clientKey(), Claims: map[string]any{
		"iss": ClientOrganisation, "aud": at, "iat": r.op.Now.Unix(), "jti": random(), "data": map[string]any{"amount": "1.00"},
	}})
	api := &http.Client{Transport: r.client().Transport(source, r.op.URL)}
	answer, err := api.Post(at, "application/jwt", strings.NewReader(asked))
	require.NoError(r, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(r, err)
	require.Equal(r, http.StatusCreated, answer.StatusCode, "%s", text)
	return r.readConsent(r.Context(), string(text))
}

// readConsent is what an application does with the answer.
func (r *rp) readConsent(ctx context.Context, text string) (string, error) {
	r.Helper()
	keys, err := idtoken.NewRemoteKeys(idtoken.RemoteKeysConfig{URL: r.op.Issuer + "/jwks", HTTPClient: r.op.HTTPClient()})
	require.NoError(r, err)
	verifier, err := idtoken.NewVerifier(idtoken.Config{
		Issuer: OPOrganisation, ClientID: ClientOrganisation, Algorithms: []string{"ES256"}, Keys: keys, Clock: r.config.Clock,
	})
	require.NoError(r, err)
	believed, err := verifier.VerifyClaims(ctx, text)
	if err != nil {
		return "", err
	}
	var said struct {
		Audience any `json:"aud"`
		Data     struct {
			ID string `json:"consentId"`
		} `json:"data"`
	}
	require.NoError(r, believed.Claims(&said))
	assert.NotNil(r, said.Audience, "VerifyClaims lets it be missing, and consents have it")
	assert.NotEmpty(r, said.Data.ID)
	return said.Data.ID, nil
}
