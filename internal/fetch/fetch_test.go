package fetch

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckEndpoint(t *testing.T) {
	public, err := url.Parse("https://op.example")
	require.NoError(t, err)
	inside, err := url.Parse("http://127.0.0.1:8080")
	require.NoError(t, err)
	for _, place := range []string{"https://127.1/x", "https://2130706433/", "https://0x7f000001/", "https://localhost/", "https://a.localhost./", "https://[::1]/", "https://10.0.0.1/"} {
		assert.Error(t, CheckEndpoint(place, public), place)
		assert.NoError(t, CheckEndpoint(place, inside), place)
		assert.NoError(t, CheckEndpoint(place, nil), place)
	}
	assert.NoError(t, CheckEndpoint("https://other.example/x", public))
	assert.NoError(t, CheckEndpoint("https://xn--mller-kva.example/ü?ü", public))
	for _, place := range []string{"https://müller.example/", "https://１２７.０.０.１/", "https://127。0。0。1/", "https://ｌｏｃａｌｈｏｓｔ/", "https://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1/"} {
		for _, by := range []*url.URL{public, inside, nil} {
			assert.ErrorContains(t, CheckEndpoint(place, by), "ASCII", place)
		}
	}
	assert.Error(t, CheckEndpoint("http://other.example/x", inside))
}

func TestDo(t *testing.T) {
	body := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "Application/JSON; charset=utf-8")
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
		_, _ = w.Write([]byte(body)) // whoever asked has gone
	}))
	defer server.Close()
	client, err := NewClient(nil, nil, nil)
	require.NoError(t, err)
	ask := func(path string) (*Answer, error) {
		req, err := Get(t.Context(), server.URL+path, "application/json")
		require.NoError(t, err)
		return Do(client, req)
	}
	body = strings.Repeat("x", MaxAnswer)
	got, err := ask("/")
	require.NoError(t, err)
	assert.True(t, got.IsJSON())
	assert.Len(t, got.Body, MaxAnswer)
	body += "x"
	got, err = ask("/")
	require.ErrorIs(t, err, ErrTooLarge)
	assert.Equal(t, http.StatusOK, got.Status)
	body = ""
	got, err = ask("/away")
	require.NoError(t, err)
	assert.Equal(t, http.StatusFound, got.Status, "no redirect is followed")
	server.Close()
	_, err = ask("/?secret=s3cr3t")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "s3cr3t")
	_, err = Get(t.Context(), "://", "")
	assert.Error(t, err)
}
