package federation

import (
	"context"
	"crypto/ecdsa"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

func TestResolve(t *testing.T) {
	w := newWorld(t)
	chain, err := w.resolver(t).Resolve(t.Context(), provider)
	require.NoError(t, err)
	assert.Equal(t, []string{
		provider + wellKnown, anchor + wellKnown, anchor + fetchPlace + "?sub=https%3A%2F%2Fop.example%2Ftenant",
	}, w.asked)
	assert.Equal(t, provider, chain.Subject())
	assert.Equal(t, anchor, chain.TrustAnchor())
	assert.Len(t, chain.Statements(), 3)
	var found struct {
		Issuer string `json:"issuer"`
	}
	is, err := chain.Metadata("openid_provider", &found)
	require.NoError(t, err)
	assert.True(t, is)
	assert.Equal(t, provider, found.Issuer)
	is, err = chain.Metadata("openid_relying_party", &found)
	require.NoError(t, err)
	assert.False(t, is)
}

func TestResolveThroughIntermediates(t *testing.T) {
	w := newWorld(t)
	w.deepen()
	w.links[[2]string{middle, lower}]["exp"] = testNow.Add(20 * time.Minute).Unix()
	chain, err := w.resolver(t).Resolve(t.Context(), provider)
	require.NoError(t, err)
	assert.Len(t, chain.Statements(), 5)
	assert.Equal(t, testNow.Add(20*time.Minute).Unix(), chain.Expiry().Unix(), "the first that ends")
	found, err := w.resolver(t).FindProvider(t.Context(), provider)
	require.NoError(t, err)
	assert.Equal(t, chain.Expiry(), found.Until)
}

func TestResolveAnAnchor(t *testing.T) {
	w := newWorld(t)
	chain, err := w.resolver(t).Resolve(t.Context(), anchor)
	require.NoError(t, err)
	assert.Equal(t, anchor, chain.TrustAnchor())
	assert.Len(t, w.asked, 1)
}

// One who leads nowhere, or says what can't be believed, does not stand in the way of
// another superior.
func TestAnotherWayIsTaken(t *testing.T) {
	for name, lead := range map[string]func(*world){
		"nobody there": func(*world) {},
		"not about the provider": func(w *world) {
			w.configurations[unrelated] = superior(unrelated, anchor)
		},
		"in a circle": func(w *world) {
			w.configurations[unrelated] = superior(unrelated, provider)
			w.link(unrelated, provider, members{})
			w.link(provider, unrelated, members{})
		},
		"no anchor": func(w *world) {
			w.configurations[unrelated] = superior(unrelated)
			w.link(unrelated, provider, members{})
		},
		"no fetch endpoint": func(w *world) { w.configurations[unrelated] = members{} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deepen()
			lead(w)
			w.configurations[provider]["authority_hints"] = []string{unrelated}
			_, err := w.resolver(t).Resolve(t.Context(), provider)
			require.Error(t, err, "it leads nowhere")
			w.configurations[provider]["authority_hints"] = []string{unrelated, lower}
			chain, err := w.resolver(t).Resolve(t.Context(), provider)
			require.NoError(t, err)
			assert.Len(t, chain.Statements(), 5)
		})
	}
}

func TestAnAnchorIsAskedFirst(t *testing.T) {
	w := newWorld(t)
	w.configurations[provider]["authority_hints"] = []string{unrelated, anchor}
	_, err := w.resolver(t).Resolve(t.Context(), provider)
	require.NoError(t, err)
	assert.Len(t, w.asked, 3)
}

// Each case is the valid chain with one thing wrong.
func TestResolveRefuses(t *testing.T) {
	inOne := func(issuer, subject string, change func(w *world, header, claims members)) func(*world) {
		return func(w *world) {
			w.sign = func(i, s string, header, claims members) {
				if i == issuer && s == subject {
					change(w, header, claims)
				}
			}
		}
	}
	claim := func(issuer, subject, name string, value any) func(*world) {
		return inOne(issuer, subject, func(_ *world, _, claims members) {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		})
	}
	answer := func(place string, status int, kind, body string) func(*world) {
		return func(w *world) {
			w.answers[place] = func() (*http.Response, error) { return reply(status, kind, body) }
		}
	}
	tests := map[string]struct {
		check  string
		change func(*world)
	}{
		"not there":            {"token", answer(provider+wellKnown, 404, "application/"+statementType, "x")},
		"another media type":   {"token", answer(provider+wellKnown, 200, "application/jwt", "a.b.c")},
		"no JWT":               {"token", answer(provider+wellKnown, 200, "application/"+statementType, "a.b")},
		"too long":             {"token", answer(provider+wellKnown, 200, "application/"+statementType, strings.Repeat("x", maxStatement+1))},
		"much too long":        {"token", answer(provider+wellKnown, 200, "application/"+statementType, strings.Repeat("x", 1<<21))},
		"redirected":           {"token", answer(provider+wellKnown, 302, "application/"+statementType, "a.b.c")},
		"header no base64url":  {"header", answer(provider+wellKnown, 200, "application/"+statementType, "=.e30.AAAA")},
		"header no JSON":       {"header", answer(provider+wellKnown, 200, "application/"+statementType, "AAAA.e30.AAAA")},
		"claims no JSON":       {"claims", answer(provider+wellKnown, 200, "application/"+statementType, "eyJ0eXAiOiJlbnRpdHktc3RhdGVtZW50K2p3dCIsImtpZCI6IjEifQ.AAAA.AAAA")},
		"another typ":          {"typ", inOne(provider, provider, func(_ *world, h, _ members) { h["typ"] = "JWT" })},
		"typ no string":        {"typ", inOne(provider, provider, func(_ *world, h, _ members) { h["typ"] = 1 })},
		"no kid":               {"kid", inOne(provider, provider, func(_ *world, h, _ members) { delete(h, "kid") })},
		"critical header":      {"header", inOne(provider, provider, func(_ *world, h, _ members) { h["crit"] = []string{"exp"} })},
		"kid of nobody":        {"key", inOne(provider, provider, func(_ *world, h, _ members) { h["kid"] = "another" })},
		"alg none":             {"header", inOne(provider, provider, func(_ *world, h, _ members) { h["alg"] = "none" })},
		"iat of the future":    {"iat", claim(provider, provider, "iat", testNow.Add(2*time.Minute).Unix())},
		"iat a string":         {"iat", claim(provider, provider, "iat", "1")},
		"exp reached":          {"exp", claim(provider, provider, "exp", testNow.Unix())},
		"exp negative":         {"exp", claim(provider, provider, "exp", -1)},
		"exp beyond":           {"exp", claim(provider, provider, "exp", 1e12)},
		"exp of the link":      {"exp", claim(anchor, provider, "exp", testNow.Unix())},
		"exp of the anchor":    {"exp", claim(anchor, anchor, "exp", testNow.Unix())},
		"jwks a string":        {"jwks", claim(provider, provider, "jwks", "x")},
		"jwks empty":           {"jwks", claim(provider, provider, "jwks", members{"keys": []any{}})},
		"a key without kid":    {"jwks", claim(provider, provider, "jwks", members{"keys": []any{members{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}})},
		"two keys of one kid":  {"jwks", inOne(provider, provider, func(w *world, _, c members) { c["jwks"] = twice(w) })},
		"critical claim":       {"crit", claim(provider, provider, "crit", []string{"unknown"})},
		"hints a string":       {"authority_hints", claim(provider, provider, "authority_hints", anchor)},
		"hints empty":          {"authority_hints", claim(provider, provider, "authority_hints", []string{})},
		"too many hints":       {"authority_hints", claim(provider, provider, "authority_hints", strings.Fields(strings.Repeat(anchor+" ", maxHints+1)))},
		"no hints":             {"trust_chain", claim(provider, provider, "authority_hints", nil)},
		"hint with a query":    {"entity_id", claim(provider, provider, "authority_hints", []string{anchor + "?a=b"})},
		"hint inside":          {"entity_id", claim(provider, provider, "authority_hints", []string{"https://127.0.0.1"})},
		"hint not https":       {"entity_id", claim(provider, provider, "authority_hints", []string{"http://anchor.example"})},
		"hint too long":        {"entity_id", claim(provider, provider, "authority_hints", []string{anchor + "/" + strings.Repeat("x", maxID)})},
		"hints null":           {"authority_hints", inOne(provider, provider, func(_ *world, _, c members) { c["authority_hints"] = nil })},
		"metadata are null":    {"metadata", inOne(provider, provider, func(_ *world, _, c members) { c["metadata"] = nil })},
		"policy null":          {"metadata_policy", inOne(anchor, provider, func(_ *world, _, c members) { c["metadata_policy"] = nil })},
		"metadata a string":    {"metadata", claim(provider, provider, "metadata", "x")},
		"metadata null":        {"metadata", claim(provider, provider, "metadata", members{"openid_provider": nil})},
		"a member null":        {"metadata", claim(provider, provider, "metadata", members{"openid_provider": members{"issuer": nil}})},
		"policy about itself":  {"metadata_policy", claim(provider, provider, "metadata_policy", members{})},
		"limits itself":        {"constraints", claim(provider, provider, "constraints", members{})},
		"hints in a link":      {"authority_hints", claim(anchor, provider, "authority_hints", []string{anchor})},
		"marks in a link":      {"trust_marks", claim(anchor, provider, "trust_marks", []string{})},
		"trust_anchor":         {"trust_anchor", claim(provider, provider, "trust_anchor", anchor)},
		"link by another":      {"iss", claim(anchor, provider, "iss", unrelated)},
		"link about another":   {"sub", claim(anchor, provider, "sub", unrelated)},
		"link says other keys": {"key", inOne(anchor, provider, func(w *world, _, c members) { c["jwks"] = w.jwks(unrelated) })},
		"link says another key": {"signature", inOne(anchor, provider, func(w *world, _, c members) {
			c["jwks"] = named(w, unrelated, provider)
		})},
		"signed by another": {"signature", func(w *world) { w.keys[anchor] = stolen(w) }},
		"fetch endpoint inside": {"federation_fetch_endpoint", claim(anchor, anchor, "metadata", members{
			"federation_entity": members{"federation_fetch_endpoint": "https://10.0.0.1/fetch"},
		})},
		"no fetch endpoint": {"federation_fetch_endpoint", claim(anchor, anchor, "metadata", members{"federation_entity": members{}})},
		"link not there":    {"token", func(w *world) { delete(w.links, [2]string{anchor, provider}) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.resolver(t)
			_, err := r.Resolve(t.Context(), provider)
			require.NoError(t, err)
			tt.change(w)
			_, err = r.Resolve(t.Context(), provider)
			refused(t, err, tt.check)
			_, err = r.FindProvider(t.Context(), provider)
			refused(t, err, tt.check)
		})
	}
}

// stolen makes the anchor's statements be signed by somebody else.
func stolen(w *world) *ecdsa.PrivateKey { return w.keys[unrelated] }

// named is the key of one entity under the kid of another's.
func named(w *world, of, as string) any {
	return members{"keys": []any{renamed(w.jwks(of), "key of "+as)}}
}

func twice(w *world) any {
	return members{"keys": []any{renamed(w.jwks(provider), "one"), renamed(w.jwks(unrelated), "one")}}
}

// An entity between signs what it says about itself, whatever follows from it.
func TestASuperiorSignsItsConfiguration(t *testing.T) {
	w := newWorld(t)
	w.deepen()
	own := w.configurations[lower]
	header := members{"typ": statementType, "alg": "ES256", "kid": "key of " + lower}
	own["iss"], own["sub"], own["iat"], own["exp"], own["jwks"] = lower, lower, testNow.Unix(), testNow.Add(time.Hour).Unix(), w.jwks(lower)
	for _, signer := range []string{lower, unrelated} {
		w.answers[lower+wellKnown] = func() (*http.Response, error) {
			return reply(200, "application/"+statementType, signed(w.keys[signer], header, own))
		}
		_, err := w.resolver(t).Resolve(t.Context(), provider)
		if signer == lower {
			require.NoError(t, err)
			continue
		}
		refused(t, err, "signature")
	}
}

func TestALongChainIsRefused(t *testing.T) {
	w := newWorld(t)
	id := func(i int) string { return "https://between" + strconv.Itoa(i) + ".example" }
	grow := func(entities int) {
		below := provider
		for i := range entities {
			w.keys[id(i)] = w.keys[unrelated]
			w.configurations[below]["authority_hints"] = []string{id(i)}
			w.configurations[id(i)] = superior(id(i))
			w.link(id(i), below, members{})
			below = id(i)
		}
		w.configurations[below]["authority_hints"] = []string{anchor}
		w.link(anchor, below, members{})
	}
	grow(maxIntermediates)
	_, err := w.resolver(t).Resolve(t.Context(), provider)
	require.NoError(t, err)
	grow(maxIntermediates + 1)
	_, err = w.resolver(t).Resolve(t.Context(), provider)
	refused(t, err, "trust_chain")
}

// Ten entities that all name each other ask for no more than is searched.
func TestASearchIsBounded(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for i := range maxHints {
		ids = append(ids, "https://maze"+strconv.Itoa(i)+".example")
	}
	w.configurations[provider]["authority_hints"] = ids
	for _, id := range ids {
		w.keys[id] = w.keys[unrelated]
		w.configurations[id] = superior(id, ids...)
		for _, other := range append(ids, provider) {
			w.link(id, other, members{})
		}
	}
	_, err := w.resolver(t).Resolve(t.Context(), provider)
	refused(t, err, "trust_chain")
	assert.LessOrEqual(t, len(w.asked), maxRequests)
}

func TestAnEntityThatIsNotReached(t *testing.T) {
	cut := func() (*http.Response, error) { return nil, errCut }
	busy := func() (*http.Response, error) { return reply(503, "text/plain", "") }
	for name, answer := range map[string]func() (*http.Response, error){"cut off": cut, "busy": busy} {
		for _, place := range []string{anchor + wellKnown, anchor + fetchPlace} {
			t.Run(name+" "+place, func(t *testing.T) {
				w := newWorld(t)
				w.configurations[provider]["authority_hints"] = []string{unrelated, anchor}
				w.answers[place] = answer
				_, err := w.resolver(t).Resolve(t.Context(), provider)
				var e *oidcclient.Error
				require.ErrorAs(t, err, &e)
				assert.True(t, e.Retryable(), "whoever else was refused")
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err = w.resolver(t).Resolve(ctx, provider)
				require.ErrorAs(t, err, &e)
				assert.Equal(t, oidcclient.FaultCanceled, e.Fault)
			})
		}
	}
}

func TestFindProviderRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		check  string
		change func(*world)
	}{
		"no provider":       {"metadata", func(w *world) { w.configurations[provider]["metadata"] = members{"oauth_client": members{}} }},
		"another issuer":    {"issuer", func(w *world) { w.openid()["issuer"] = unrelated }},
		"a member's type":   {"metadata", func(w *world) { w.openid()["token_endpoint"] = 1 }},
		"no types":          {"client_registration_types_supported", func(w *world) { delete(w.openid(), "client_registration_types_supported") }},
		"only explicit":     {"client_registration_types_supported", func(w *world) { w.openid()["client_registration_types_supported"] = []string{"explicit"} }},
		"types are no list": {"metadata", func(w *world) { w.openid()["client_registration_types_supported"] = "automatic" }},
		"keys in a signed set": {"signed_jwks_uri", func(w *world) {
			delete(w.openid(), "jwks_uri")
			w.openid()["signed_jwks_uri"] = provider + "/signed"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.resolver(t).FindProvider(t.Context(), provider)
			require.NoError(t, err)
			tt.change(w)
			_, err = w.resolver(t).FindProvider(t.Context(), provider)
			refused(t, err, tt.check)
		})
	}
}

func TestNewResolverRefuses(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*ResolverConfig){
		"no anchor":        func(c *ResolverConfig) { c.TrustAnchors = nil },
		"anchor not https": func(c *ResolverConfig) { c.TrustAnchors[0].ID = "http://anchor.example" },
		"anchor no keys":   func(c *ResolverConfig) { c.TrustAnchors[0].JWKS = []byte(`{"keys":[]}`) },
		"anchor twice":     func(c *ResolverConfig) { c.TrustAnchors = append(c.TrustAnchors, c.TrustAnchors[0]) },
		"negative age":     func(c *ResolverConfig) { c.MaxAge = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			config := ResolverConfig{TrustAnchors: []TrustAnchor{{ID: anchor, JWKS: w.jwks(anchor)}}}
			change(&config)
			_, err := NewResolver(config)
			require.Error(t, err)
		})
	}
	_, err := w.resolver(t).Resolve(t.Context(), "://")
	refused(t, err, "entity_id")
	_, err = w.resolver(t).FindProvider(t.Context(), "://")
	refused(t, err, "entity_id")
}
