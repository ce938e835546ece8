package grants

import (
	"context"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/rely-go/rely/oidcclient"
)

// A Request is what a token is wanted for. Where it is part of a login at a device or
// in the back channel, what it leaves open is what the client's logins ask for
// ([oidcclient.Client.Defaults]); elsewhere that is left to the provider.
type Request struct {
	// Scopes to ask for.
	Scopes []string
	// Resources are absolute URIs of the APIs for which the token is wanted (RFC
	// 8707 §2).
	Resources []string
	// AuthorizationDetails is a JSON array of objects with a type each (RFC 9396),
	// or "".
	AuthorizationDetails string
}

// ofLogin fills the gaps with what the client's logins ask for.
func (r Request) ofLogin(each oidcclient.BeginOptions) Request {
	if r.Scopes == nil {
		r.Scopes = each.Scopes
	}
	if r.Resources == nil {
		r.Resources = each.Resources
	}
	if r.AuthorizationDetails == "" {
		r.AuthorizationDetails = each.AuthorizationDetails
	}
	return r
}

func (r Request) form(grantType string) url.Values {
	form := url.Values{"grant_type": {grantType}}
	if len(r.Scopes) > 0 {
		form.Set("scope", strings.Join(r.Scopes, " "))
	}
	if len(r.Resources) > 0 {
		form["resource"] = r.Resources
	}
	if r.AuthorizationDetails != "" {
		form.Set("authorization_details", r.AuthorizationDetails)
	}
	return form
}

// ClientCredentials gets a token for the application itself (RFC 6749 §4.4). It
// asks each time: keep the token as long as it is good.
func ClientCredentials(ctx context.Context, c *oidcclient.Client, want Request) (*oauth2.Token, error) {
	return c.Token(ctx, want.form("client_credentials"))
}

// JWTBearer gets a token for whom an assertion is about, which somebody whom the
// provider trusts has signed (RFC 7523 §2.1).
func JWTBearer(ctx context.Context, c *oidcclient.Client, assertion string, want Request) (*oauth2.Token, error) {
	form := want.form("urn:ietf:params:oauth:grant-type:jwt-bearer")
	form.Set("assertion", assertion)
	return c.Token(ctx, form)
}
