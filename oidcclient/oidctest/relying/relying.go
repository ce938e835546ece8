// Package relying is the relying party's side of an oidctest provider: the
// configuration that fits it, and a browser that takes a login through it.
// oidctest itself shares no code with this module's client; this package is where
// the two meet, in tests and examples.
package relying

import (
	"fmt"
	"strings"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// Config returns what a relying party has to be configured with to log people in
// at op. The redirect URI is the first that op knows; everything may be changed
// before it is given to [oidcclient.New].
func Config(op *oidctest.Provider) (oidcclient.Config, error) {
	registered := op.Client()
	profile, ok := profiles.ByName(registered.Profile)
	if !ok {
		return oidcclient.Config{}, fmt.Errorf("relying: no profile is called %q", registered.Profile)
	}
	config := oidcclient.Config{
		Profile: profile, Issuer: registered.Issuer,
		ClientID: registered.ClientID, ClientSecret: registered.ClientSecret,
		Scopes: strings.Fields(registered.Scope), AuthMethod: registered.AuthMethod,
		Algorithm: registered.SigningAlg,
	}
	if len(registered.RedirectURIs) > 0 {
		config.RedirectURI = registered.RedirectURIs[0]
	}
	if profile.Discovery == oidcclient.DiscoverNever {
		config.Provider = &oidcclient.ProviderMetadata{
			AuthorizationEndpoint: registered.AuthorizationEndpoint, TokenEndpoint: registered.TokenEndpoint,
			UserInfoEndpoint: registered.UserInfoEndpoint, EndSessionEndpoint: registered.EndSessionEndpoint,
		}
	}
	if registered.DNS != "" {
		config.Issuer, config.Tenant = "", &oidcclient.Tenant{DNS: registered.DNS, Community: registered.Community}
	}
	return config, keys(&config, registered)
}

// keys fills in the keys of both sides, where the profile wants them by hand.
func keys(config *oidcclient.Config, registered oidctest.Client) error {
	profile := &config.Profile
	if registered.PrivateKey != nil && (registered.AuthMethod == "private_key_jwt" || profile.Carriage == oidcclient.CarrySignedForm) {
		config.Key = &assertion.Key{Signer: registered.PrivateKey, Certificates: registered.Certificates}
	}
	var err error
	switch profile.Keys {
	case oidcclient.KeysFromCertificates:
		config.TrustAnchors, err = assertion.ParseCertificatesPEM(registered.TrustAnchorsPEM)
	case oidcclient.KeysPinned:
		config.Keys, err = idtoken.PinnedKeys(registered.ProviderJWKS)
	}
	return err
}

// Encryption returns how request objects are encrypted to an iSHARE provider: to
// its certificate.
func Encryption(registered oidctest.Client) (*assertion.Encryption, error) {
	chain, err := assertion.ParseCertificatesPEM(registered.ProviderCertificatePEM)
	if err != nil {
		return nil, err
	}
	return &assertion.Encryption{Algorithm: "RSA-OAEP", Encoding: "A256GCM", Key: chain[0].PublicKey}, nil
}
