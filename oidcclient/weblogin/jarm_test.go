package weblogin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/oidcclient"
)

// The login of a signed response is found by the state in it, and by nothing
// beside it.
func TestSignedResponseFindsItsLogin(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := jwx.MarshalPublic([]jwx.Key{{ID: "k", Algorithm: "ES256", Use: "sig", Public: key.Public()}})
	require.NoError(t, err)
	keys, err := idtoken.PinnedKeys(set)
	require.NoError(t, err)
	for mode, method := range map[string]string{"jwt": http.MethodGet, "form_post.jwt": http.MethodPost} {
		s := newSite(t, rig{client: func(_ string, c *oidcclient.Config) {
			c.ResponseMode, c.ResponseAlgorithm, c.Keys, c.Algorithm = mode, "ES256", keys, "ES256"
		}})
		b := s.browser()
		begun, err := url.Parse(b.ask("/login/op", nil).to(t))
		require.NoError(t, err)
		response := func(state string) string {
			payload, err := json.Marshal(map[string]any{
				"iss": s.ops["op"].Issuer(), "aud": begun.Query().Get("client_id"), "exp": s.clock.Now().Unix() + 60, "code": "unknown", "state": state,
			})
			require.NoError(t, err)
			input := jose.Encode([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + jose.Encode(payload)
			signature, err := jose.Sign(t.Context(), "ES256", key, input)
			require.NoError(t, err)
			return input + "." + jose.Encode(signature)
		}
		send := func(values url.Values) (string, string) {
			p := page{}
			if method == http.MethodGet {
				p = b.ask("/callback/op?"+values.Encode(), nil, "Accept", "application/json")
			} else {
				p = b.ask("/callback/op", values, "Accept", "application/json")
			}
			return p.refusal(t)
		}
		state := begun.Query().Get("state")
		for name, values := range map[string]url.Values{
			"another state":    {"response": {response("." + state[1:])}},
			"a state outside":  {"response": {response("other")}, "state": {state}},
			"nothing signed":   {"code": {"c"}, "state": {state}},
			"changed":          {"response": {strings.Replace(response(state), ".", ".A", 1)}},
			"no response here": {},
		} {
			if name == "no response here" {
				values = url.Values{"x": {"y"}}
			}
			code, _ := send(values)
			assert.Equal(t, "login_refused", code, name)
			assert.Equal(t, 1, b.waiting(), "%s: the login still waits", name)
		}
		code, _ := send(url.Values{"response": {response(state)}})
		assert.Equal(t, "invalid_grant", code, "the code was sent")
		assert.Zero(t, b.waiting())
	}
}
