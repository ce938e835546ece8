package oidcclient

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFindIssuer(t *testing.T) {
	const good = `{"subject":"x","links":[{"rel":"other","href":"https://x.example"},{"rel":"http://openid.net/specs/connect/1.0/issuer","href":"https://op.example/tenant"}]}`
	for account, want := range map[string][2]string{ // where is asked, and for what
		"acct:anna@example.com":    {"https://example.com/.well-known/webfinger", "acct:anna@example.com"},
		"anna@example.com":         {"https://example.com/.well-known/webfinger", "acct:anna@example.com"},
		"acct:a@b@example.com":     {"https://example.com/.well-known/webfinger", "acct:a@b@example.com"},
		"example.com":              {"https://example.com/.well-known/webfinger", "https://example.com"},
		"https://example.com/anna": {"https://example.com/.well-known/webfinger", "https://example.com/anna"},
		"example.com:8443/anna":    {"https://example.com:8443/.well-known/webfinger", "https://example.com:8443/anna"},
		"http://127.0.0.1:9/anna":  {"http://127.0.0.1:9/.well-known/webfinger", "http://127.0.0.1:9/anna"},
	} {
		network := &pushing{status: 200, kind: "application/jrd+json", body: good}
		issuer, err := FindIssuer(t.Context(), network.client(), account)
		require.NoError(t, err, account)
		assert.Equal(t, "https://op.example/tenant", issuer)
		require.Len(t, network.sent, 1)
		asked := *network.sent[0].URL
		assert.Equal(t, want[1], asked.Query().Get("resource"))
		assert.Equal(t, issuerRelation, asked.Query().Get("rel"))
		asked.RawQuery = ""
		assert.Equal(t, want[0], asked.String())
	}
	// On this machine an address is asked for without TLS too, if nobody speaks that.
	for account, want := range map[string][]string{
		"anna@127.0.0.1:9":           {"https", "http"},
		"acct:anna@localhost":        {"https", "http"},
		"https://127.0.0.1:9/anna":   {"https"},
		"anna@example.com":           {"https"},
		"anna@127.0.0.1.example.com": {"https"},
	} {
		var asked []string
		network := replying(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Scheme)
			return nil, errors.New("nobody is there")
		})
		_, err := FindIssuer(t.Context(), &http.Client{Transport: network}, account)
		require.Error(t, err)
		assert.Equal(t, want, asked, account)
	}
	for _, account := range []string{"", "acct:", "acct:anna", "acct:@example.com", "anna@", "http://example.com/anna", "ftp://example.com", "a b@example.com", "https://u:p@example.com/", "acct:anna@example.com/x"} {
		network := &pushing{status: 200, kind: "application/json", body: good}
		_, err := FindIssuer(t.Context(), network.client(), account)
		var refused *Error
		require.ErrorAs(t, err, &refused, account)
		assert.Equal(t, "webfinger", refused.Check, account)
		assert.Empty(t, network.sent, "%q: nobody is asked", account)
	}
	link := func(href string) string {
		return `{"links":[{"rel":"http://openid.net/specs/connect/1.0/issuer","href":"` + href + `"}]}`
	}
	for name, network := range map[string]*pushing{
		"no links":           {status: 200, kind: "application/json", body: `{}`},
		"no issuer":          {status: 200, kind: "application/json", body: `{"links":[{"rel":"x","href":"https://x.example"}]}`},
		"links that are one": {status: 200, kind: "application/json", body: `{"links":{}}`},
		"a link of text":     {status: 200, kind: "application/json", body: `{"links":["x"]}`},
		"a plain one":        {status: 200, kind: "application/json", body: link("http://op.example")},
		"one inside":         {status: 200, kind: "application/json", body: link("https://10.0.0.1")},
		"with a query":       {status: 200, kind: "application/json", body: link("https://op.example?x=y")},
		"a script":           {status: 200, kind: "application/json", body: link("javascript:alert(1)")},
		"a page":             {status: 200, kind: "text/html", body: good},
		"twice":              {status: 200, kind: "application/json", body: `{"links":[],"links":[]}`},
		"not there":          {status: http.StatusNotFound, kind: "application/json", body: good},
		"elsewhere":          {status: http.StatusFound, kind: "application/json", body: good},
		"down":               {status: http.StatusServiceUnavailable},
	} {
		_, err := FindIssuer(t.Context(), network.client(), "anna@example.com")
		var refused *Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, StepDiscover, refused.Step)
		assert.Len(t, network.sent, 1)
	}
}
