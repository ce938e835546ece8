package weblogin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// counting counts what is loaded.
type counting struct {
	*Memory
	n int
}

func (c *counting) Load(ctx context.Context, keys ...string) ([]Record, error) {
	c.n++
	return c.Memory.Load(ctx, keys...)
}

func TestReadinessNamesWhoIsNotReady(t *testing.T) {
	s := newSite(t, rig{ops: map[string]oidctest.Config{"one": {}, "two": {}}})
	ask := func() (int, Readiness) {
		t.Helper()
		w := httptest.NewRecorder()
		s.h.ServeReady(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		var found Readiness
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &found))
		assert.Equal(t, w.Code == http.StatusServiceUnavailable, w.Header().Get("Retry-After") != "")
		assert.Equal(t, w.Code == http.StatusOK, found.Ready)
		return w.Code, found
	}
	s.ops["two"].Down(true)
	status, found := ask()
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "ready", found.Providers["one"])
	assert.Contains(t, found.Providers["two"], "not reached")
	assert.Equal(t, "ready", found.Store)

	s.ops["two"].Down(false)
	status, _ = ask()
	assert.Equal(t, http.StatusServiceUnavailable, status, "one look serves all who ask within a second")
	s.clock.Advance(time.Minute)
	status, found = ask()
	assert.Equal(t, http.StatusOK, status, "%v", found)

	s.ops["one"].Down(true)
	s.clock.Advance(time.Minute)
	status, _ = ask()
	assert.Equal(t, http.StatusOK, status, "what is known outlasts an outage")

	broken := &brokenStore{Memory: s.memory(), failing: "load"}
	s.use(s.replica("", func(c *Config) { c.Sessions = broken }))
	s.ops["one"].Down(false)
	status, found = ask()
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "not reached", found.Store)
	assert.Equal(t, "ready", found.Providers["one"])
}
