package grants

import (
	"context"
	"net/url"

	"github.com/rely-go/rely/oidcclient"
)

// Hints of what a token is (RFC 7009 §2.1, RFC 7662 §2.1).
const (
	HintAccessToken  = "access_token"  // it is an access token
	HintRefreshToken = "refresh_token" // it is a refresh token
)

// Revoke ends a token, and with a refresh token what came of it (RFC 7009). A token
// that is not good any more is no error. hint is one of the constants, or "".
func Revoke(ctx context.Context, c *oidcclient.Client, token, hint string) error {
	_, err := c.Call(ctx, oidcclient.EndpointRevoke, tokenForm(token, hint))
	return err
}

func tokenForm(token, hint string) url.Values {
	form := url.Values{"token": {token}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	return form
}
