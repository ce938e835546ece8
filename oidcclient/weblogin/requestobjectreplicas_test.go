package weblogin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
)

// sharedHostingSite is a site with two clients whose requests the providers fetch, and
// what further processes make their clients of.
func sharedHostingSite(t *testing.T) (*site, map[string]oidcclient.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	configs := map[string]oidcclient.Config{}
	s := newSite(t, rig{
		ops: map[string]oidctest.Config{"op": {ClientKey: key.Public()}, "two": {ClientKey: key.Public()}},
		client: func(id string, c *oidcclient.Config) {
			c.Carriage, c.Key = oidcclient.CarryReference, &assertion.Key{Signer: key, ID: "k1"}
			configs[id] = *c
		},
	})
	return s, configs
}

// hostedAt begins a login and returns the path at which its request is.
func hostedAt(t *testing.T, b *browser) string {
	t.Helper()
	to, err := url.Parse(b.ask("/login/op", nil).to(t))
	require.NoError(t, err)
	path, ok := strings.CutPrefix(to.Query().Get("request_uri"), b.url)
	require.True(t, ok)
	return path
}

// Four replicas that have nothing in common but keys and store, of which each serves
// what another began.
func TestHostedRequestsOfFourReplicas(t *testing.T) {
	s, configs := sharedHostingSite(t)
	var replicas []*Handler
	for range 4 {
		clients := map[string]*oidcclient.Client{}
		for id, config := range configs {
			client, err := oidcclient.New(config)
			require.NoError(t, err)
			clients[id] = client
		}
		h, err := New(Config{BaseURL: s.url, Clients: clients, Sealer: s.h.sealer, Sessions: s.h.sessions, Clock: s.clock.Now})
		require.NoError(t, err)
		replicas = append(replicas, h)
	}
	for i := range replicas {
		s.use(replicas[i])
		b := s.browser()
		path := hostedAt(t, b)
		for _, h := range replicas {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			assert.Equal(t, http.StatusOK, w.Code)
		}
		// The next one serves the request and takes the callback.
		p := b.ask("/login/op", nil)
		s.use(replicas[(i+1)%4])
		_, target, form := b.follow(p, b.url+"/callback/")
		require.Equal(t, http.StatusSeeOther, b.ask(target, form).StatusCode)
		assert.NotNil(t, b.session())
	}
}

// A handle is one client's, and good for a HEAD too.
func TestHostedRequestOfAnotherClient(t *testing.T) {
	s, _ := sharedHostingSite(t)
	b := s.browser()
	path := hostedAt(t, b)
	assert.Equal(t, http.StatusNotFound, b.ask(strings.Replace(path, "/op/", "/two/", 1), nil).StatusCode)
	p := b.send(http.MethodHead, path, "")
	assert.Equal(t, []any{http.StatusOK, ""}, []any{p.StatusCode, p.body})
}

// However many logins are begun whose requests are hosted, nothing of them stays.
func TestFloodOfHostedRequestsTakesNoMemory(t *testing.T) {
	const workers, each = 8, 250
	s, _ := sharedHostingSite(t)
	memory := s.h.sessions.(*Memory)
	s.h.log = slog.New(slog.DiscardHandler)
	begin := func() {
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/login/op", nil))
		assert.Equal(t, http.StatusSeeOther, w.Code)
	}
	begin()
	before := heapInUse()
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range each {
				begin()
			}
		})
	}
	wait.Wait()
	assert.Less(t, heapInUse(), before+1<<20, "524 bytes for each at the most, and an address alone has 400")
	assert.Empty(t, memory.sessions.items)
	assert.Empty(t, memory.marks.items)
}

// An issuer that has yet to be found is found for whoever names it.
func TestIssuerIsFoundForWhoNamesIt(t *testing.T) {
	for _, path := range []string{"/initiate/op?iss=", "/frontchannel-logout/op?sid=x&iss="} {
		s := newSite(t, rig{client: func(_ string, c *oidcclient.Config) { c.Account, c.Issuer = c.Issuer+"/anna", "" }})
		issuer := s.ops["op"].Issuer()
		b := s.browser()
		assert.Equal(t, http.StatusBadRequest, b.ask(path+url.QueryEscape(issuer+"/x"), nil).StatusCode)
		assert.Less(t, b.ask(path+url.QueryEscape(issuer), nil).StatusCode, http.StatusBadRequest)
		assert.Equal(t, issuer, s.h.clients["op"].Issuer())
	}
}
