package main

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// idToken is one without anything that this program doesn't read.
func idToken(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig"
}

func TestReadTokens(t *testing.T) {
	for answer, want := range map[string]tokens{
		`{"refresh_token":"r","id_token":"` + idToken(`{"sub":"anna","sid":"s"}`) + `"}`: {"r", "anna", "s"},
		`{"refresh_token":"r"}`:                                   {refresh: "r"},
		`{"error":"invalid_grant"}`:                               {},
		`{"refresh_token":"r","id_token":"` + idToken(`{`) + `"}`: {},
		`not JSON`: {},
	} {
		assert.Equal(t, want, readTokens([]byte(answer)), answer)
	}
}

func TestGateNotesWhoAsks(t *testing.T) {
	asked := make(chan string, 10)
	answers := map[string]string{
		"code":  `{"refresh_token":"one","id_token":"` + idToken(`{"sub":"anna","sid":"s"}`) + `"}`,
		"one":   `{"refresh_token":"two"}`,
		"spent": `{"error":"invalid_grant"}`,
	}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Basic abc", r.Header.Get("Authorization"))
		key := r.PostFormValue("refresh_token") + r.PostFormValue("code")
		asked <- key
		if key == "spent" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, answers[key])
	}))
	defer provider.Close()
	l, r := newLedger(), &replica{number: 2}
	r.life.Store(7)
	g, err := newGate(provider.URL, l, r)
	require.NoError(t, err)
	defer func() { assert.NoError(t, g.close()) }()
	// A connection for each request, as those of different processes are.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	send := func(ctx context.Context, form url.Values) (*http.Response, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, strings.NewReader(form.Encode()))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Basic abc")
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return client.Do(request)
	}

	for _, form := range []url.Values{{"code": {"code"}}, {"refresh_token": {"one"}}, {"refresh_token": {"spent"}}} {
		answer, err := send(t.Context(), form)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, answers[<-asked], string(body))
	}
	assert.Equal(t, figures{codes: 1, refreshes: 2, refused: 1, unknown: 1}, l.counted())
	assert.Equal(t, "s", l.sid("anna"))

	// Somebody who hangs up has asked all the same.
	ctx, cancel := context.WithTimeout(t.Context(), providerTakes/2)
	defer cancel()
	r.life.Add(1)
	_, err = send(ctx, url.Values{"refresh_token": {"one"}})
	require.Error(t, err)
	assert.Equal(t, "one", <-asked)
	assert.Equal(t, []double{{"anna", process{2, 7}, process{2, 8}}}, l.doubleUses())
}
