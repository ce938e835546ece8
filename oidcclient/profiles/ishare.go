package profiles

import (
	"time"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
)

// IShare is an identity provider of the iSHARE trust framework
// (https://dev.ishare.eu): parties instead of registered clients, certificates
// instead of published keys. Issuer and ClientID are party ids; Key needs the
// whole certificate chain, and TrustAnchors the roots of the data space.
//
// A pseudonym in sub is good for one service provider, and the ID token for 30
// seconds: the application's session has a life of its own.
func IShare() oidcclient.Profile {
	return oidcclient.Profile{
		Name:           "ishare",
		Title:          "iSHARE",
		Discovery:      oidcclient.DiscoverNever,
		PartyIssuer:    true,
		Carriage:       oidcclient.CarrySignedForm,
		Request:        oidcclient.RequestRules{Subject: "urn:TBD", Outside: []string{"response_type", "client_id", "scope"}},
		Scopes:         []string{"openid", "iSHARE"},
		RequiredScopes: []string{"openid", "iSHARE"},
		AuthMethods:    []string{"private_key_jwt"},
		Assertion: oidcclient.AssertionRules{
			Audience: "issuer", Lifetime: 30 * time.Second, Naming: assertion.NameX5C,
			BindCertificate: true, ClientIDInBody: true,
		},
		Keys:       oidcclient.KeysFromCertificates,
		Algorithms: []string{"RS256", "RS384", "RS512"},
		Rules: idtoken.Rules{
			StringDates:    true,
			HeaderMembers:  []string{"alg", "typ", "x5c"},
			SingleAudience: true,
			Lifetime:       30 * time.Second,
			MaxSkew:        5 * time.Second,
			Required:       []string{"jti", "acr"},
			ACR:            idtoken.EIDAS(),
		},
		// The scheme wants acr_values in every request; what is accepted is for
		// the configuration to say.
		ACRValues: []string{"urn:http://eidas.europa.eu/LoA/NotNotified/low"},
		UserInfo:  oidcclient.UserInfoRules{Method: "POST", Signed: true},
		Refresh:   oidcclient.RefreshRules{Never: true},
		Deviations: []oidcclient.Deviation{
			{Rule: oidcclient.RuleIssuerURL, Reason: "issuers are party ids, not URLs", URL: "https://dev.ishare.eu/reference/ishare-jwt"},
			{Rule: oidcclient.RuleNumericDate, Reason: "published ID tokens have their times as strings of digits", URL: "https://dev.ishare.eu/identity-provider/access-token"},
			{Rule: oidcclient.RuleCertificateDER, Reason: "published tokens have the certificates after the leaf as base64 of PEM", URL: "https://github.com/iSHAREScheme/Documentation"},
		},
	}
}
