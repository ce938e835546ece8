package conformance

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/federation"
)

// federationModules are about a provider that is known by its trust anchor alone.
func federationModules() []module {
	const prefix = "openid-federation-client-"
	refuses := func(name, check string, spoil func(*JWT)) module {
		return module{prefix + name, nil, func(r *rp) {
			r.join()
			r.op.ChangeJWT(spoil, Configuration)
			_, err := r.login()
			refused := r.refused(err, oidcclient.StepDiscover, check, Discovery, Authorize, Token, JWKS)
			assert.Equal(r, oidcclient.FaultProvider, refused.Fault)
		}}
	}
	refusesIDToken := func(name, check string, spoil func(*JWT)) module {
		return module{prefix + name, nil, func(r *rp) {
			r.join()
			r.op.ChangeJWT(spoil, CodeToken)
			_, err := r.login()
			r.refused(err, oidcclient.StepIdentity, check, UserInfo)
			assert.Len(r, r.op.Calls(Token), 1)
		}}
	}
	types := func(list any) func(*JWT) {
		return func(t *JWT) {
			provider := t.Claims["metadata"].(map[string]any)["openid_provider"].(map[string]any)
			if provider["client_registration_types_supported"] = list; list == nil {
				delete(provider, "client_registration_types_supported")
			}
		}
	}
	return []module{
		{prefix + "test", nil, func(r *rp) {
			r.join()
			r.accepted(r.login())
			r.uncalled(Discovery)
			r.order(OwnConfiguration, AnchorConfiguration, Fetch, Authorize, Token)
			assert.Equal(r, r.op.Client.ID, r.asked().Get("client_id"))
		}},
		{prefix + "valid-unknown-client-registration-types-supported", nil, func(r *rp) {
			r.join()
			r.op.ChangeJWT(types([]any{"by-pigeon", "automatic"}), Configuration)
			r.accepted(r.login())
		}},
		refuses("invalid-iss-in-entity-configuration", "iss", more("iss")),
		refuses("invalid-sub-in-entity-configuration", "sub", more("sub")),
		refuses("invalid-missing-exp-in-entity-configuration", "exp", without("exp")),
		refuses("invalid-missing-iat-in-entity-configuration", "iat", without("iat")),
		refuses("invalid-missing-client-registration-types-supported", "client_registration_types_supported", types(nil)),
		refuses("invalid-empty-client-registration-types-supported", "client_registration_types_supported", types([]any{})),
		refusesIDToken("invalid-aud-in-id-token", "aud", more("aud")),
		refusesIDToken("invalid-iss-in-id-token", "iss", more("iss")),
	}
}

// join makes the relying party and the provider members of one federation.
func (r *rp) join() {
	r.Helper()
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	r.Cleanup(site.Close)
	r.op.Client.ID, r.op.Client.Secret = site.URL, ""
	joined := r.op.JoinFederation()

	jwks, err := json.Marshal(map[string]any{"keys": []any{joined.AnchorKey.JWK}})
	require.NoError(r, err)
	clock := func() time.Time { return r.op.Now }
	resolver, err := federation.NewResolver(federation.ResolverConfig{
		TrustAnchors: []federation.TrustAnchor{{ID: joined.Anchor, JWKS: jwks}}, HTTPClient: r.op.HTTPClient(), Clock: clock,
	})
	require.NoError(r, err)
	r.config.Profile, r.config.ProviderSource = federation.Profile(), resolver
	r.config.ClientID, r.config.ClientSecret, r.config.ResponseMode = site.URL, "", ""
	r.config.Key = &assertion.Key{Signer: clientKey(), ID: "client"}
	entity, err := federation.NewEntity(federation.EntityConfig{
		ID: site.URL, Keys: []assertion.Key{{Signer: ECKey("ES256", "sig").Private}}, AuthorityHints: []string{joined.Anchor},
		Metadata: map[string]any{"openid_relying_party": federation.RelyingParty(r.client())}, Clock: clock,
	})
	require.NoError(r, err)
	mux.Handle("GET /.well-known/openid-federation", entity)
}

// Each statement is asked for its own part of the trust: spoiled in turn, every one of
// them ends the login before anybody is sent anywhere.
func TestEveryStatementOfTheChainCounts(t *testing.T) {
	for name, spoil := range map[string]func(*JWT){
		"signature": func(t *JWT) { t.Rewrite = Break },
		"iss":       more("iss"), "sub": more("sub"), "exp": without("exp"), "iat": without("iat"), "jwks": without("jwks"),
		"typ": func(t *JWT) { t.Header["typ"] = "JWT" },
		"kid": func(t *JWT) { delete(t.Header, "kid") },
	} {
		for _, kind := range []Kind{Configuration, Subordinate, Anchor} {
			t.Run(name+" of "+string(kind), func(t *testing.T) {
				r := newRP(t, variant{"code", "query"})
				r.join()
				r.op.ChangeJWT(spoil, kind)
				_, err := r.login()
				r.refused(err, oidcclient.StepDiscover, name, Authorize, Token, JWKS)
			})
		}
	}
}
