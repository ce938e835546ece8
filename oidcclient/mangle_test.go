package oidcclient

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/corpus"
)

// mangled calls try with every change of text: each byte another, each prefix,
// white space at each position, and all of it twice. at is where the change is.
func mangled(text string, try func(at int, changed string)) {
	for at := range len(text) {
		for b := range 256 {
			if byte(b) != text[at] {
				try(at, text[:at]+string([]byte{byte(b)})+text[at+1:])
			}
		}
		try(at, text[:at])
		for _, space := range []string{" ", "\t", "\n", "\r", "\r\n"} {
			try(at, text[:at]+space+text[at:])
		}
	}
	for _, behind := range []string{" ", "\n", "=", text} {
		try(len(text), text+behind)
	}
}

// What passes: changes of the code, which only the provider can judge, and of a
// parameter that nobody reads, and texts that mean the same.
func TestMangledCallback(t *testing.T) {
	const query = "state=" + corpusState + "&iss=https%3A%2F%2Fop.example&code=code-of-this-login&x=ignored"
	asked := 0
	c := corpusClient(t, &asked, func(c *Config) { c.Provider.ResponseIssuerSupported = true })
	good, err := url.ParseQuery(query)
	require.NoError(t, err)
	_, err = c.Complete(t.Context(), corpusPending(), good)
	require.Equal(t, "ok", verdict(err))
	// The ampersand in front of x may become part of the code.
	free := strings.Index(query, "code=") + len("code=")
	passed := 0
	mangled(query, func(at int, changed string) {
		values, err := url.ParseQuery(changed)
		if err != nil {
			return
		}
		before := asked
		_, err = c.Complete(t.Context(), corpusPending(), values)
		if verdict(err) != "ok" {
			require.Equal(t, before, asked, "%q is refused without a request", changed)
			return
		}
		passed++
		require.Equal(t, []string{corpusState}, values["state"], "%q", changed)
		require.Equal(t, []string{"https://op.example"}, values["iss"], "%q", changed)
		require.Len(t, values["code"], 1, "%q", changed)
		if at < free {
			require.Equal(t, good, withoutEmpty(values), "%q", changed)
		}
	})
	assert.NotZero(t, passed)
}

// withoutEmpty drops a parameter without name and value.
func withoutEmpty(values url.Values) url.Values {
	if values.Get("") == "" {
		delete(values, "")
	}
	return values
}

// Nothing passes.
func TestMangledPending(t *testing.T) {
	sealer, text := corpusSealer(t), corpusInput(t, corpus.Pending(), "T38-good")
	_, err := sealer.OpenPending(text)
	require.NoError(t, err)
	mangled(text, func(_ int, changed string) {
		if pending, err := sealer.OpenPending(changed); err != ErrSealed || pending != nil {
			require.Fail(t, "opened", "%q", changed)
		}
	})
}

// Nothing passes.
func TestMangledSession(t *testing.T) {
	sealer := corpusSealer(t)
	text, place := strings.TrimPrefix(corpusInput(t, corpus.Cookie(), "T38-in-cookie-good"), "__Host-rely-session=1."), []byte("__Host-rely-session")
	_, _, err := sealer.OpenSessionWith(text, place)
	require.NoError(t, err)
	mangled(text, func(_ int, changed string) {
		if session, _, err := sealer.OpenSessionWith(changed, place); err != ErrSealed || session != nil {
			require.Fail(t, "opened", "%q", changed)
		}
	})
}

// corpusInput returns the input of one case.
func corpusInput(t *testing.T, kind corpus.Kind, name string) string {
	t.Helper()
	cases, err := kind.Load(corpus.Files())
	require.NoError(t, err)
	for _, c := range cases {
		if c.Name == name {
			return c.Input
		}
	}
	require.Fail(t, "no such case")
	return ""
}
