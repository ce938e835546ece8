package federation

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// A provider is kept while somebody can't be asked, until its chain ends; and not at all
// once somebody says no.
func TestAKnownProviderIsKept(t *testing.T) {
	now := testNow
	w := newWorld(t)
	r := w.resolver(t, func(c *ResolverConfig) { c.Clock = func() time.Time { return now } })
	first, err := r.FindProvider(t.Context(), provider)
	require.NoError(t, err)
	assert.Equal(t, testNow.Add(time.Hour), first.Until)

	now = now.Add(time.Hour)
	w.answers[anchor+wellKnown] = func() (*http.Response, error) { return nil, errCut }
	kept, err := r.FindProvider(t.Context(), provider)
	require.NoError(t, err)
	assert.Equal(t, first.Metadata, kept.Metadata)
	assert.Equal(t, now.Add(time.Minute), kept.Until, "asked again soon")

	now = testNow.Add(6*time.Hour - 30*time.Second)
	kept, err = r.FindProvider(t.Context(), provider)
	require.NoError(t, err)
	assert.Equal(t, testNow.Add(6*time.Hour).Unix(), kept.Until.Unix(), "and no longer than the chain")

	now = testNow.Add(time.Hour)
	w.answers[anchor+fetchPlace] = func() (*http.Response, error) { return reply(404, "application/json", `{}`) }
	delete(w.answers, anchor+wellKnown)
	_, err = r.FindProvider(t.Context(), provider)
	refused(t, err, "token")

	delete(w.answers, anchor+fetchPlace)
	w.answers[provider+wellKnown] = func() (*http.Response, error) { return nil, errCut }
	now = testNow.Add(6 * time.Hour)
	_, err = r.FindProvider(t.Context(), provider)
	var e *oidcclient.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, oidcclient.FaultOutage, e.Fault)
}

// Who was refused once is not believed again because somebody is silent then.
func TestARefusedProviderIsForgotten(t *testing.T) {
	now := testNow
	w := newWorld(t)
	w.deepen()
	r := w.resolver(t, func(c *ResolverConfig) { c.Clock = func() time.Time { return now } })
	_, err := r.FindProvider(t.Context(), provider)
	require.NoError(t, err)
	now = now.Add(time.Hour)
	delete(w.links, [2]string{lower, provider})
	_, err = r.FindProvider(t.Context(), provider)
	refused(t, err, "token")
	now = now.Add(time.Minute)
	w.answers[lower+fetchPlace] = func() (*http.Response, error) { return reply(503, "text/plain", "") }
	_, err = r.FindProvider(t.Context(), provider)
	var e *oidcclient.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, oidcclient.FaultOutage, e.Fault)
}

// Whoever is not reached does not speak for those who are: a provider that was thrown out
// stays out, however silent it is or whomever else it names.
func TestAnOutageOutweighsNoRefusal(t *testing.T) {
	silent := func(places ...string) func(*world) {
		return func(w *world) {
			for _, place := range places {
				w.answers[place] = func() (*http.Response, error) { return reply(503, "text/plain", "") }
			}
		}
	}
	names := func(superiors ...string) func(*world) {
		return func(w *world) {
			silent(unrelated + wellKnown)(w)
			w.configurations[provider]["authority_hints"] = superiors
		}
	}
	thrownOut := func(by, whom string) func(*world) {
		return func(w *world) { delete(w.links, [2]string{by, whom}) }
	}
	claims := func(by, whom, name string, value any) func(*world) {
		return func(w *world) { w.links[[2]string{by, whom}][name] = value }
	}
	for name, tt := range map[string]struct {
		outage  func(*world)
		refusal func(*world)
		check   string
	}{
		"itself silent":           {silent(provider + wellKnown), thrownOut(lower, provider), "token"},
		"a dead superior beside":  {names(unrelated, lower), thrownOut(lower, provider), "token"},
		"only a dead superior":    {func(*world) {}, names(unrelated), "authority_hints"},
		"its superior thrown out": {silent(lower + wellKnown), thrownOut(middle, lower), "token"},
		"by the anchor":           {silent(lower+wellKnown, middle+fetchPlace), thrownOut(anchor, middle), "token"},
		"its superior not there":  {silent(provider + wellKnown), func(w *world) { delete(w.configurations, lower) }, "token"},
		"its key revoked":         {silent(provider + wellKnown), func(w *world) { claims(lower, provider, "jwks", w.jwks(unrelated))(w) }, "key"},
		"its superior's key":      {silent(lower + wellKnown), func(w *world) { claims(middle, lower, "jwks", w.jwks(unrelated))(w) }, "key"},
		"another policy":          {silent(lower + wellKnown), claims(anchor, middle, "metadata_policy", members{"openid_provider": members{"issuer": members{"value": unrelated}}}), "issuer"},
		"a bound":                 {silent(provider + wellKnown), claims(anchor, middle, "constraints", members{"max_path_length": 0}), "max_path_length"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deepen()
			now := testNow
			r := w.resolver(t, func(c *ResolverConfig) { c.Clock = func() time.Time { return now } })
			_, err := r.FindProvider(t.Context(), provider)
			require.NoError(t, err)

			now = now.Add(time.Hour)
			tt.outage(w)
			_, err = r.FindProvider(t.Context(), provider)
			require.NoError(t, err, "believed while nobody says no")
			tt.refusal(w)
			_, err = r.FindProvider(t.Context(), provider)
			refused(t, err, tt.check)
		})
	}
}

// Of a known chain only what can't be had stays as it was, and nobody is waited for twice.
func TestAKnownChainIsRetraced(t *testing.T) {
	now := testNow
	w := newWorld(t)
	w.deepen()
	w.links[[2]string{lower, provider}]["exp"] = testNow.Add(5 * time.Hour).Unix()
	w.links[[2]string{middle, lower}]["exp"] = testNow.Add(2 * time.Hour).Unix()
	r := w.resolver(t, func(c *ResolverConfig) { c.Clock = func() time.Time { return now } })
	_, err := r.FindProvider(t.Context(), provider)
	require.NoError(t, err)

	now = testNow.Add(time.Hour)
	w.links[[2]string{middle, lower}]["exp"] = testNow.Add(6 * time.Hour).Unix()
	w.answers[lower+fetchPlace] = func() (*http.Response, error) { return nil, errCut }
	w.asked = nil
	kept, err := r.FindProvider(t.Context(), provider)
	require.NoError(t, err)
	assert.Equal(t, now.Add(time.Minute), kept.Until)
	assert.Equal(t, 1, strings.Count(strings.Join(w.asked, " "), lower+fetchPlace))

	now = testNow.Add(5*time.Hour - 1*time.Second)
	_, err = r.FindProvider(t.Context(), provider)
	require.NoError(t, err, "the statement that ended first was renewed")
	now = testNow.Add(5 * time.Hour)
	_, err = r.FindProvider(t.Context(), provider)
	var e *oidcclient.Error
	require.ErrorAs(t, err, &e)
	assert.True(t, e.Retryable(), "and the one that was not has ended")
}

// A provider is as well found on the way that is known, where others lead astray.
func TestAKnownWayIsFoundInAMaze(t *testing.T) {
	w := newWorld(t)
	w.deepen()
	now := testNow
	r := w.resolver(t, func(c *ResolverConfig) { c.Clock = func() time.Time { return now } })
	_, err := r.FindProvider(t.Context(), provider)
	require.NoError(t, err)
	ids := []string{unrelated}
	for i := range maxHints - 2 {
		ids = append(ids, "https://maze"+strconv.Itoa(i)+".example")
	}
	w.configurations[provider]["authority_hints"] = slices.Concat(ids, []string{lower})
	w.answers[unrelated+wellKnown] = func() (*http.Response, error) { return nil, errCut }
	for _, id := range ids {
		w.keys[id] = w.keys[unrelated]
		w.configurations[id] = superior(id, ids...)
		for _, other := range append(ids, provider) {
			w.link(id, other, members{})
		}
	}
	now = testNow.Add(2 * time.Hour)
	found, err := r.FindProvider(t.Context(), provider)
	require.NoError(t, err)
	assert.Equal(t, now.Add(time.Hour), found.Until, "all of the chain is new")
	_, err = w.resolver(t).FindProvider(t.Context(), provider)
	assert.Error(t, err, "who never knew the way does not find it")
}
