package interop_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// testResponseTypes logs in with all that can come with the browser, also signed.
func testResponseTypes(t *testing.T, rp *relyingParty, op *engine) {
	const home = "https://rp.example.test" // nobody goes there
	for _, kind := range []string{"code id_token", "code token", "code id_token token", "id_token", "id_token token"} {
		for _, mode := range []string{"", "form_post", "jwt", "fragment.jwt", "form_post.jwt"} {
			t.Run(kind+" "+mode, func(t *testing.T) {
				config := rp.config(op.issuer, "hybrid", secret)
				config.RedirectURI, config.PostLogoutRedirectURI = home+"/callback", ""
				config.ResponseType, config.ResponseMode, config.UserInfo = kind, mode, kind != "id_token"
				c := newClient(t, config)
				pending, back := newBrowser(t, home).authorize(t, c, oidcclient.BeginOptions{})
				session, err := c.Complete(t.Context(), pending, back.values)
				require.NoError(t, err)
				assert.Equal(t, "alice", session.Subject())
				assert.Equal(t, kind != "id_token", session.HasUserInfo())
				assert.Equal(t, kind == "id_token token", session.FrontChannelToken())
			})
		}
	}
}

// testHybrid logs in with an ID token beside the code, in a fragment and in a form.
func testHybrid(t *testing.T, rp *relyingParty, op *engine) {
	const home = "https://rp.example.test" // nobody goes there
	for _, mode := range []string{"", "fragment", "form_post"} {
		t.Run("mode "+mode, func(t *testing.T) {
			config := rp.config(op.issuer, "hybrid", secret)
			config.RedirectURI, config.PostLogoutRedirectURI = home+"/callback", ""
			config.ResponseType, config.ResponseMode = "code id_token", mode
			c := newClient(t, config)
			pending, back := newBrowser(t, home).authorize(t, c, offline())
			assert.Equal(t, mode == "form_post", pending.Posted())
			require.NotEmpty(t, back.values.Get("id_token"))

			broken := back.values
			session, err := c.Complete(t.Context(), pending, back.values)
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())

			other, another := newBrowser(t, home).authorize(t, c, offline())
			another.values.Set("id_token", broken.Get("id_token"))
			_, err = c.Complete(t.Context(), other, another.values)
			var refused *oidcclient.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "nonce", refused.Check, "another login's ID token")
		})
	}
}
