package profiles

import (
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
)

// OpenID is any provider that keeps to OpenID Connect Core 1.0 as it is written,
// with PKCE (RFC 7636) always, and the issuer in responses (RFC 9207) demanded
// from providers that announce it. Levels of eIDAS are ordered, and every other
// assurance is what it is.
func OpenID() oidcclient.Profile {
	return oidcclient.Profile{
		Name:           "oidc",
		Title:          "OpenID Connect",
		Scopes:         []string{"openid"},
		RequiredScopes: []string{"openid"},
		Rules:          idtoken.Rules{ACR: idtoken.EIDAS()},
	}
}
