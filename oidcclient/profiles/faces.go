package profiles

import "github.com/rely-go/rely/oidcclient"

const facesAPI = "https://tornado.umbrellanet.ch/confluence/pages/viewpage.action?pageId=35489339"

// Faces is Umbrella Faces, the traveller profiles of Umbrella Organisation AG.
// Its identity is a JWT without issuer, audience and expiry, believed only
// because it came straight from the token endpoint; the subject is namespaced by
// the configured Issuer. Configure Keys with the provider's public key, which is
// to be asked for: none is published.
func Faces() oidcclient.Profile {
	return oidcclient.Profile{
		Name:           "faces",
		Title:          "Umbrella Faces",
		Discovery:      oidcclient.DiscoverNever,
		Scopes:         []string{"openid", "email", "profile"},
		RequiredScopes: []string{"openid"},
		AuthMethods:    []string{"client_secret_basic"},
		Identity:       oidcclient.IdentifyByLegacyToken,
		Keys:           oidcclient.KeysPinned,
		Algorithms:     []string{"RS256"},
		Deviations: []oidcclient.Deviation{
			{Rule: oidcclient.RuleLegacyIdentity, Reason: "the id_token has neither iss nor aud nor exp", URL: facesAPI},
			{Rule: oidcclient.RuleNonce, Reason: "nothing in the identity could carry a nonce back", URL: facesAPI},
		},
	}
}
