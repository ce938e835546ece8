package profiles

import "github.com/rely-go/rely/oidcclient"

// OAuth is any authorization server that keeps to OAuth 2.0 (RFC 6749, RFC 9700) and
// says nothing about who the person is: it lets an application call APIs in the name
// of whoever consents, and logs nobody in. Its metadata are those of RFC 8414.
func OAuth() oidcclient.Profile {
	return oidcclient.Profile{
		Name:      "oauth",
		Title:     "OAuth 2.0",
		Discovery: oidcclient.DiscoverOAuth,
		Identity:  oidcclient.IdentifyNobody,
	}
}
