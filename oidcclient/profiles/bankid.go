package profiles

import (
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
)

// BankID is BankID Norway's OpenID Connect provider
// (https://developer.bankid.no/bankid-oidc-provider).
//
// BankID calls sub unstable and recommends bankid_altsub, which is personal data
// (a PID): [oidcclient.Session.AlternativeSubject] offers it, and sub stays what
// it is. No login_hint with a national identity number travels in a query. An
// id_token_hint does, and holds what the ID token says about the person: that of a logout
// ([oidcclient.Client.LogoutURL]), and that of package weblogin where it notices a logout
// at the provider.
func BankID() oidcclient.Profile {
	return oidcclient.Profile{
		Name:            "bankid",
		Title:           "BankID Norway",
		Scopes:          []string{"openid", "profile"},
		RequiredScopes:  []string{"openid"},
		QueryLoginHints: []string{"BID", "BIM", "BIS"},
		AuthMethods:     []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt"},
		Algorithms:      []string{"ES256", "RS256"},
		Rules: idtoken.Rules{
			// https://developer.bankid.no/bankid-oidc-provider/core-concepts/id-token:
			// the level of assurance comes back as a suffix.
			ACR: idtoken.ACRPolicy{Accepts: map[string][]string{
				"urn:bankid:bid": {"urn:bankid:bid", "urn:bankid:bid;LOA=4"},
				"urn:bankid:bim": {"urn:bankid:bim", "urn:bankid:bim;LOA=4"},
				"urn:bankid:bis": {"urn:bankid:bis", "urn:bankid:bis;LOA=3", "urn:bankid:bis;LOA=4"},
			}},
		},
		AlternativeSubject: "bankid_altsub",
		UserInfo:           oidcclient.UserInfoRules{Method: "GET", Signed: true, OriginIssues: true},
	}
}
