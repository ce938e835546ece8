package oidcclient

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An Authorization is the request that the person's browser has to take to the
// provider. It holds no secret, but the state in it belongs to one browser:
// hand it to that browser only.
type Authorization struct {
	// Method is GET or POST.
	Method string
	// URL is where to go, for GET with the whole request in its query.
	URL string
	// Form holds the parameters of a POST.
	Form url.Values
	// Object is the signed request object to be served at
	// BeginOptions.RequestURI, with the media type
	// application/oauth-authz-req+jwt; "" where nothing has to be served.
	Object string
}

// formScript submits the form of a POST; the Content-Security-Policy allows it
// by its hash and nothing else. Without scripts the button does it.
const formScript = `document.forms[0].submit()`

// formScriptHash is the SHA-256 of formScript, in base64; a test compares.
const formScriptHash = "sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE="

// page is the form with its parameters as hidden fields. It is put together by
// hand: html/template would add a third to the size that this package links.
func (a *Authorization) page() string {
	var fields strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.Form)) {
		for _, value := range a.Form[name] {
			fmt.Fprintf(&fields, "<input type=\"hidden\" name=\"%s\" value=\"%s\">\n", html.EscapeString(name), html.EscapeString(value))
		}
	}
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Going to the login</title>
<form method="post" action="` + html.EscapeString(a.URL) + `">
` + fields.String() + `<button type="submit">Continue to the login</button>
</form>
<script>` + formScript + `</script>
</html>
`
}

// ServeHTTP sends the browser to the provider: with 303 See Other, or with a
// page that posts the form by itself. The answer is not to be cached: what it
// holds is good for one login.
func (a *Authorization) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	if a.Method != http.MethodPost {
		http.Redirect(w, r, a.URL, http.StatusSeeOther)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	// No form-action: browsers apply it to redirects that follow the post too,
	// and nobody can know where a provider redirects.
	h.Set("Content-Security-Policy", "default-src 'none'; script-src '"+formScriptHash+"'; frame-ancestors 'none'; base-uri 'none'")
	// Nothing useful can be done when the browser has gone away.
	_, _ = io.WriteString(w, a.page())
}
