package weblogin

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// escapes are the tricks that have led browsers to another site.
func escapes() []string {
	return []string{
		"", "account", "//", "//?x", "//#x", "///", "//e.example", "///e.example", "////e.example", "/\\e.example", "\\/e.example", "\\\\e.example", "/\\/e.example",
		"/\t/e.example", "/\n/e.example", "/\r/e.example", "\t//e.example", " //e.example", "/ /e.example", "/%09/e.example",
		"/%2f/e.example", "/%2F%2Fe.example", "/%5ce.example", "/%5C/e.example", "/./ /e.example", "/.//e.example", "/..//e.example",
		"/%2e%2e//e.example", "/%2e/%2fe.example", "/x/../..//e.example", "/x/..", "/./x", "/%2e%2e/x",
		"https:e.example", "https:/e.example", "https://e.example", "HTTPS://e.example", "http:e.example", "https:\\e.example",
		"javascript:alert(1)", "javascript://%0aalert(1)", "data:text/html,x", "vbscript:x", "mailto:x@e.example",
		"//user@e.example", "//e.example:443/x", "user@e.example", "https://app.example@e.example/", "https://app.example.e.example/",
		"/x\r\nSet-Cookie: a=b", "/x%0d%0aSet-Cookie:%20a=b", "/x\x00", "/x\x7f", "/x%00", "/\u2028/e.example", "/\u00a0/e.example", "/é",
		"?//e.example", "#//e.example", ".e.example", "/%", "/%zz", "/" + strings.Repeat("a", maxReturnTo),
	}
}

func TestReturnToStaysOnOurOrigin(t *testing.T) {
	for _, raw := range escapes() {
		assert.Equal(t, "/", returnTo(raw), "%q", raw)
	}
	for _, raw := range []string{
		"/", "/account", "/account/", "/a/b.c/d", "/a?b=c&d=//e", "/a?u=https://e.example", "/a#b", "/a%20b", "/user@host", "/a:b", "/..a", "/a%C3%A9",
		"/" + strings.Repeat("a", maxReturnTo-1),
	} {
		assert.Equal(t, raw, returnTo(raw))
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, raw := range escapes() {
		f.Add(raw)
	}
	f.Add("/account?x=1#y")
	base, err := url.Parse("https://app.example/login/x")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw string) {
		got := returnTo(raw)
		assert.False(t, strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\t\r\n\x00 ") || got[0] != '/', "%q", got)
		// As a browser that drops tabs and line feeds and takes \ for / reads it.
		u, err := base.Parse(strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(got))
		require.NoError(t, err)
		assert.Equal(t, "https://app.example", u.Scheme+"://"+u.Host)
		assert.Nil(t, u.User)
		assert.Equal(t, got, returnTo(got), "what is accepted once is accepted again")
	})
}
