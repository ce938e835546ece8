package federation

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/oidcclient"
)

var testNow = time.Date(2026, 5, 17, 9, 0, 0, 0, time.UTC)

// The members of the federation of these tests.
const (
	anchor     = "https://anchor.example"
	middle     = "https://middle.example/members"
	lower      = "https://lower.example"
	provider   = "https://op.example/tenant"
	unrelated  = "https://unrelated.example"
	fetchPlace = "/fetch"
)

type members = map[string]any

// A world has entities that sign statements, and is the network between them.
type world struct {
	keys map[string]*ecdsa.PrivateKey
	// configurations and links are claims beyond the usual, by entity and by superior
	// and subordinate.
	configurations map[string]members
	links          map[[2]string]members
	// sign changes a statement before it is signed.
	sign func(issuer, subject string, header, claims members)
	// answers stand in the place of statements, by URL without query.
	answers map[string]func() (*http.Response, error)

	mu    sync.Mutex
	asked []string
}

// newWorld has a provider below an anchor.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{keys: map[string]*ecdsa.PrivateKey{}, answers: map[string]func() (*http.Response, error){}, links: map[[2]string]members{}}
	for _, entity := range []string{anchor, middle, lower, provider, unrelated} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		w.keys[entity] = key
	}
	w.configurations = map[string]members{anchor: superior(anchor), provider: {
		"authority_hints": []string{anchor},
		"metadata": members{"openid_provider": members{
			"issuer": provider, "authorization_endpoint": provider + "/authorize", "token_endpoint": provider + "/token",
			"jwks_uri": provider + "/jwks", "client_registration_types_supported": []string{"automatic"},
		}},
	}}
	w.link(anchor, provider, members{})
	return w
}

// superior is an entity that speaks about others.
func superior(id string, hints ...string) members {
	claims := members{"metadata": members{"federation_entity": members{"federation_fetch_endpoint": id + fetchPlace}}}
	if len(hints) > 0 {
		claims["authority_hints"] = hints
	}
	return claims
}

func (w *world) link(superior, subordinate string, claims members) {
	w.links[[2]string{superior, subordinate}] = claims
}

// deepen puts two entities between the anchor and the provider.
func (w *world) deepen() {
	delete(w.links, [2]string{anchor, provider})
	w.configurations[provider]["authority_hints"] = []string{lower}
	w.configurations[lower] = superior(lower, middle)
	w.configurations[middle] = superior(middle, anchor)
	w.link(lower, provider, members{})
	w.link(middle, lower, members{})
	w.link(anchor, middle, members{})
}

// openid are the provider's own metadata.
func (w *world) openid() members {
	return w.configurations[provider]["metadata"].(members)["openid_provider"].(members)
}

func (w *world) jwks(entity string) json.RawMessage {
	text, err := jwx.MarshalPublic([]jwx.Key{{ID: "key of " + entity, Algorithm: "ES256", Use: "sig", Public: w.keys[entity].Public()}})
	if err != nil {
		panic(err)
	}
	return text
}

// statement signs what an issuer says about a subject.
func (w *world) statement(issuer, subject string, more members) string {
	header := members{"typ": statementType, "alg": "ES256", "kid": "key of " + issuer}
	claims := members{"iss": issuer, "sub": subject, "iat": testNow.Unix(), "exp": testNow.Add(6 * time.Hour).Unix(), "jwks": w.jwks(subject)}
	maps.Copy(claims, more)
	if w.sign != nil {
		w.sign(issuer, subject, header, claims)
	}
	return signed(w.keys[issuer], header, claims)
}

func signed(key *ecdsa.PrivateKey, header, claims members) string {
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return jose.Encode(text)
	}
	input := encode(header) + "." + encode(claims)
	signature, err := jose.Sign(context.Background(), "ES256", key, input)
	if err != nil {
		panic(err)
	}
	return input + "." + jose.Encode(signature)
}

// RoundTrip is the network.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	place := r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	w.asked = append(w.asked, r.URL.String())
	if answer, ok := w.answers[place]; ok {
		return answer()
	}
	if entity, ok := strings.CutSuffix(place, wellKnown); ok && w.configurations[entity] != nil {
		return reply(200, "application/"+statementType, w.statement(entity, entity, w.configurations[entity]))
	}
	if entity, ok := strings.CutSuffix(place, fetchPlace); ok {
		if claims, ok := w.links[[2]string{entity, r.URL.Query().Get("sub")}]; ok {
			return reply(200, "application/"+statementType, w.statement(entity, r.URL.Query().Get("sub"), claims))
		}
	}
	return reply(404, "application/json", `{"error":"not_found"}`)
}

func reply(status int, kind, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (w *world) resolver(t *testing.T, change ...func(*ResolverConfig)) *Resolver {
	t.Helper()
	config := ResolverConfig{
		TrustAnchors: []TrustAnchor{{ID: anchor, JWKS: w.jwks(anchor)}},
		HTTPClient:   &http.Client{Transport: w}, Clock: func() time.Time { return testNow },
	}
	for _, f := range change {
		f(&config)
	}
	r, err := NewResolver(config)
	require.NoError(t, err)
	return r
}

// refused demands the error of a check, whose text quotes nobody.
func refused(t *testing.T, err error, check string) *oidcclient.Error {
	t.Helper()
	var e *oidcclient.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, oidcclient.StepDiscover, e.Step)
	assert.Equal(t, check, e.Check, "%v", err)
	assert.Equal(t, oidcclient.FaultProvider, e.Fault)
	assert.NotContains(t, err.Error(), "example")
	return e
}

var errCut = errors.New("cut off")

// renamed is the one key of a set under another kid.
func renamed(jwks json.RawMessage, kid string) members {
	var set struct{ Keys []members }
	if err := json.Unmarshal(jwks, &set); err != nil {
		panic(err)
	}
	set.Keys[0]["kid"] = kid
	return set.Keys[0]
}
