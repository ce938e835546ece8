package profiles

import "github.com/rely-go/rely/oidcclient"

// BlockID is a community of 1Kosmos BlockID (https://developer.1kosmos.com).
// Configure Tenant, or Issuer and Provider by hand. sub is a user name, which
// may be given to somebody else one day.
func BlockID() oidcclient.Profile {
	return oidcclient.Profile{
		Name:      "blockid",
		Title:     "BlockID by 1Kosmos",
		Discovery: oidcclient.DiscoverTenant,
		Tenant: oidcclient.TenantDirectory{
			CommunityPath: "/api/r1/system/community_info/fetch",
			DirectoryPath: "/caas/sd",
			Service:       "oauth2",
			Suffixes:      []string{"1kosmos.net", "1kosmos.com"},
			IssuerPath:    "/oauth2/community/{community}",
			AuthorizePath: "/community/{community}/v1/authorize",
			TokenPath:     "/community/{community}/v1/token",
		},
		Scopes:                []string{"openid", "email", "profile"},
		RequiredScopes:        []string{"openid"},
		ProofParam:            "proof_of_authentication_jwt",
		RequireCallbackIssuer: true,
		AuthMethods:           []string{"client_secret_basic"},
		Algorithms:            []string{"RS256"},
		Refresh:               oidcclient.RefreshRules{RedirectURI: true},
	}
}
