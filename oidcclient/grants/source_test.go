package grants_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

func machineToken(name string, lifetime int) answer {
	return answer{200, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, name, lifetime)}
}

func TestSource(t *testing.T) {
	p := newProvider(t)
	p.on("/token", machineToken("first", 60), machineToken("second", 20), machineToken("third", 0), answer{503, ""}, machineToken("fourth", 60))
	s := &grants.Source{Client: p.client(nil), Want: grants.Request{Scopes: []string{"api"}}, Clock: p.clock.now}
	token := func(refused string) string {
		got, err := s.AccessToken(t.Context(), refused)
		require.NoError(t, err)
		return got.Value
	}
	assert.Equal(t, "first", token(""))
	assert.Equal(t, "first", token("another"))
	p.clock.at = p.clock.at.Add(49 * time.Second)
	assert.Equal(t, "first", token(""))
	p.clock.at = p.clock.at.Add(time.Second)
	assert.Equal(t, "second", token(""), "ten seconds ahead")
	p.clock.at = p.clock.at.Add(15 * time.Second)
	assert.Equal(t, "third", token(""), "a quarter ahead where that is shorter")
	p.clock.at = p.clock.at.Add(time.Hour)
	assert.Equal(t, "third", token(""), "nobody said when it ends")
	_, err := s.AccessToken(t.Context(), "third")
	var e *oidcclient.Error
	require.ErrorAs(t, err, &e)
	assert.True(t, e.Retryable())
	assert.Equal(t, "fourth", token("third"), "an API refused it")
	assert.Equal(t, "api", p.sent["/token"][0].Get("scope"))
}

// However many ask, the provider is asked once; who gives up ends nobody's request.
func TestSourceIsAskedByMany(t *testing.T) {
	p := newProvider(t)
	p.on("/token", machineToken("first", 60))
	s := &grants.Source{Client: p.client(nil), Clock: p.clock.now}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.AccessToken(gone, ""); err != nil { // it may be faster than its context
		assert.ErrorIs(t, err, context.Canceled)
	}
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			got, err := s.AccessToken(t.Context(), "")
			assert.NoError(t, err)
			assert.Equal(t, "first", got.Value)
		})
	}
	wait.Wait()
	assert.Len(t, p.sent["/token"], 1)
}

func TestSourceWithoutClient(t *testing.T) {
	_, err := new(grants.Source).AccessToken(t.Context(), "")
	assert.EqualError(t, err, "grants: Source has no Client")
}

func ExampleSource() {
	var client *oidcclient.Client // of oidcclient.New, at start
	source := &grants.Source{Client: client, Want: grants.Request{Scopes: []string{"orders"}}}
	api := &http.Client{Transport: client.Transport(source, "https://api.example")}
	resp, err := api.Get("https://api.example/orders")
	if err != nil {
		return
	}
	defer resp.Body.Close()
}
