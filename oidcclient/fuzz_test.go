package oidcclient

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rely-go/rely/internal/corpus"
)

// answering is a provider that gives one document to every request.
type answering string

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(a))), Request: req,
	}, nil
}

// FuzzDiscover: metadata that are taken name the configured issuer and have only
// endpoints that are safe; an error is short.
func FuzzDiscover(f *testing.F) {
	const issuer = "https://op.example"
	good := `{"issuer":"` + issuer + `","authorization_endpoint":"https://op.example/a","token_endpoint":"https://op.example/t","jwks_uri":"https://op.example/k"}`
	for _, seed := range []string{
		good, strings.Replace(good, "issuer", "Issuer", 1), strings.Replace(good, "op.example/t", "evil.example/t", 1),
		strings.Replace(good, "https://op.example/k", "file:///k", 1), strings.Replace(good, `{`, `{"issuer":"x",`, 1), `[]`,
	} {
		f.Add(seed)
	}
	at, err := url.Parse(issuer)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, document string) {
		found, err := discover(t.Context(), &http.Client{Transport: answering(document)}, issuer, "")
		if err != nil {
			if len(err.Error()) >= 300 {
				t.Fatalf("error of %d bytes", len(err.Error()))
			}
			return
		}
		if found.Issuer != issuer || found.check(at) != nil {
			t.Fatal("metadata of another issuer, or with unsafe endpoints, were taken")
		}
	})
}

// FuzzCallback: a code is sent to the provider only in the answer to this login:
// its state once, a code once, no error, no token, and no other issuer's name.
func FuzzCallback(f *testing.F) {
	cases, err := corpus.Callback().Load(corpus.Files())
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		f.Add(c.Input)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		asked := 0
		client := corpusClient(t, &asked, nil)
		session, err := client.Complete(t.Context(), corpusPending(), values)
		if session != nil || err == nil {
			t.Fatal("a session without a token")
		}
		if len(err.Error()) >= 300 {
			t.Fatalf("error of %d bytes", len(err.Error()))
		}
		if asked == 0 {
			return
		}
		if len(values["state"]) != 1 || values.Get("state") != corpusPending().data.State || len(values["code"]) != 1 || values.Get("code") == "" ||
			values.Has("error") && values.Get("error") != "" || values.Has("id_token") || values.Has("access_token") ||
			values.Has("iss") && values.Get("iss") != client.Issuer() {
			t.Fatalf("%q was taken for the answer", query)
		}
	})
}
