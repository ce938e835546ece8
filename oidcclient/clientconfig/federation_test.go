package clientconfig_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/clientconfig"
)

const anchorJWK = `{"kty":"OKP","crv":"Ed25519","kid":"a1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

// federated is a file with one client of a federation, with members of its federation
// and others changed.
func federated(t *testing.T, in func(text string) string) string {
	t.Helper()
	return in(`{"clients":{"acme":{"profile":"oidc","issuer":"https://op.example","client_id":"https://rp.example/acme",
		"redirect_uris":["https://rp.example/callback/acme"],"jwks":{"keys":[` + ecJWK(t, `,"kid":"s1"`) + `]},
		"federation":{"trust_anchors":[{"entity_id":"https://anchor.example","jwks":{"keys":[` + anchorJWK + `]}}],
			"authority_hints":["https://anchor.example"],"trust_marks":[{"trust_mark_type":"https://anchor.example/mark","trust_mark":"a.b.c"}],
			"jwks":{"keys":[` + ecJWK(t, `,"kid":"f1"`) + `]}}}}}`)
}

func TestFederation(t *testing.T) {
	file, err := clientconfig.Read(strings.NewReader(federated(t, strings.TrimSpace)), "")
	require.NoError(t, err)
	clients, err := file.New(nil)
	require.NoError(t, err)
	assert.Equal(t, oidcclient.CarryObject, clients["acme"].Profile().Carriage, "requests are signed")
	entities, err := file.Entities(clients)
	require.NoError(t, err)
	require.Len(t, entities, 1)
	assert.Equal(t, "federation.Entity{https://rp.example/acme}", entities["acme"].String())
	_, err = entities["acme"].Configuration(t.Context())
	require.NoError(t, err)
	entities, err = file.Entities(nil)
	require.NoError(t, err)
	assert.Empty(t, entities, "nothing is said about a client that was not made")
}

// Whatever says who sends a request does.
func TestCarriageInAFederation(t *testing.T) {
	for members, want := range map[string]oidcclient.Carriage{
		`"request":"pushed"`: oidcclient.CarryPushed,
		`"request":"pushed","request_object_signing_alg":"ES256"`: oidcclient.CarryPushedObject,
		`"require_pushed_authorization_requests":true`:            oidcclient.CarryPushed,
		`"request":"uri"`:                      oidcclient.CarryReference,
		`"request_object_signing_alg":"ES256"`: oidcclient.CarryQuery, // the profile's
	} {
		file, err := clientconfig.Read(strings.NewReader(federated(t, func(text string) string {
			return strings.Replace(text, `"issuer"`, members+`,"issuer"`, 1)
		})), "")
		require.NoError(t, err, members)
		assert.Equal(t, want, file.Clients["acme"].Carriage)
		_, err = file.New(nil)
		require.NoError(t, err, members)
	}
}

func TestMistakesInAFederation(t *testing.T) {
	replace := func(from, to string) func(string) string {
		return func(text string) string { return strings.Replace(text, from, to, 1) }
	}
	for name, tt := range map[string]struct {
		change func(string) string
		member string
	}{
		"another profile":      {replace(`"oidc"`, `"bankid"`), "federation"},
		"an unknown member":    {replace(`"trust_anchors"`, `"unused":1,"trust_anchors"`), "federation.unused"},
		"no anchor":            {replace(`[{"entity_id":"https://anchor.example","jwks":{"keys":[`+anchorJWK+`]}}]`, `[]`), "federation"},
		"an anchor's keys":     {replace(anchorJWK, ``), "federation"},
		"no Federation keys":   {replace(`"f1"`, `"f1","use":1`), "federation"},
		"another place":        {replace(`"issuer"`, `"discovery_url":"https://op.example/.well-known/openid-configuration","issuer"`), "federation"},
		"no superior":          {replace(`["https://anchor.example"]`, `[]`), "federation"},
		"an ID that is no URL": {replace(`"https://rp.example/acme"`, `"acme"`), "federation"},
		"two of one ID": {func(text string) string {
			whole := strings.TrimSuffix(strings.TrimPrefix(text, `{"clients":{`), `}}`)
			return `{"clients":{` + whole + `,` + strings.Replace(whole, `"acme"`, `"bravo"`, 1) + `}}`
		}, "client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := clientconfig.Read(strings.NewReader(federated(t, tt.change)), "")
			var clients map[string]*oidcclient.Client
			if err == nil {
				clients, err = file.New(nil)
			}
			if err == nil {
				_, err = file.Entities(clients)
			}
			var wrong *clientconfig.Error
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, tt.member, wrong.Member, "%v", err)
		})
	}
}
