package oidctest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// pageStyle is the one style sheet of all pages; its hash stands in the
// Content-Security-Policy.
const pageStyle = `
:root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--back:#eef1f5;--line:#c5ccd6;--accent:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--paper:#1b222c;--back:#11161d;--line:#445061;--accent:#7db8f5}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--back);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:28rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem;padding:1.5rem 1.75rem}
h1{font-size:1.35rem;line-height:1.25;margin:.25rem 0 .75rem}
.note{margin:0;font-size:.875rem;font-weight:600;color:var(--accent)}
fieldset{border:0;padding:0;margin:1rem 0 1.25rem}
legend{font-weight:600;padding:0;margin-bottom:.5rem}
label{display:flex;gap:.75rem;align-items:center;border:1px solid var(--line);border-radius:.5rem;padding:.65rem .8rem;margin-bottom:.5rem;cursor:pointer}
label:has(:checked){border-color:var(--accent);outline:1px solid var(--accent)}
input{accent-color:var(--accent);width:1.1rem;height:1.1rem;flex:none}
small{display:block;opacity:.8;overflow-wrap:anywhere}
.row{display:flex;gap:.75rem;flex-wrap:wrap}
button{font:inherit;font-weight:600;padding:.6rem 1.2rem;border-radius:.5rem;border:1px solid var(--accent);background:var(--accent);color:var(--paper);cursor:pointer}
button.quiet{background:transparent;color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
code{overflow-wrap:anywhere}
`

// pageScript sends a form_post answer on without a click.
const pageScript = `document.forms[0].submit()`

const pageText = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Heading}} – test provider</title><style>{{.Style}}</style></head>
<body><main>
<p class="note">Test provider, no real identities</p>
<h1>{{.Heading}}</h1>
{{with .Text}}<p>{{.}}</p>{{end}}
{{if .Persons}}<form method="post" action="{{.Action}}">
<input type="hidden" name="login" value="{{.Login}}">
<fieldset><legend>Who do you want to be?</legend>
{{range $i, $p := .Persons}}<label><input type="radio" name="person" value="{{$i}}"{{if eq $i 0}} checked{{end}}><span>{{or $p.Name $p.Username $p.Subject}}{{with $p.Email}}<small>{{.}}</small>{{end}}</span></label>
{{end}}</fieldset>
<div class="row"><button type="submit">Log in</button><button class="quiet" type="submit" name="cancel" value="1">Cancel</button></div>
</form>{{end}}
{{if .Back}}<form method="post" action="{{.Back}}">
{{range $name, $values := .Values}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}<noscript><button type="submit">Continue</button></noscript>
</form><script>{{.Script}}</script>{{end}}
{{with .Client}}<p><small>Asked by <code>{{.}}</code></small></p>{{end}}
</main></body></html>
`

// page is what the template shows.
type page struct {
	Heading, Text, Action, Login, Client string
	Persons                              []Person
	Back                                 string
	Values                               url.Values
	Style                                template.CSS
	Script                               template.JS
}

// loginPage asks a human who to be. Without scripts it is a plain form.
func (p *Provider) loginPage(w http.ResponseWriter, handle string, req *authRequest) {
	p.writePage(w, http.StatusOK, req.redirectURI, page{
		Heading: "Log in with " + p.desc.title, Action: strings.TrimPrefix(p.endpointURL(StepLogin), p.base), Login: handle,
		Client: p.client.id, Persons: p.config.Persons,
	})
}

// postBackPage answers in the response_mode form_post (OAuth 2.0 Form Post
// Response Mode §2).
func (p *Provider) postBackPage(w http.ResponseWriter, uri string, values url.Values) {
	p.writePage(w, http.StatusOK, uri, page{Heading: "Going back", Back: uri, Values: values})
}

// refusePage says no to the person, because there is no client that can be
// told.
func (p *Provider) refusePage(w http.ResponseWriter, bad *refusal) {
	p.writePage(w, bad.status, "", page{Heading: "The login can't go on", Text: bad.code + ": " + bad.text})
}

func (p *Provider) writePage(w http.ResponseWriter, status int, next string, content page) {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		http.Error(w, "page can't be made", http.StatusInternalServerError)
		return
	}
	content.Style, content.Script = pageStyle, pageScript
	var out bytes.Buffer
	if err := t.Execute(&out, content); err != nil {
		http.Error(w, "page can't be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+hashSource(pageStyle)+"'; script-src '"+hashSource(pageScript)+
		"'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"+origin(next))
	h.Set("Referrer-Policy", "strict-origin")
	h.Set("X-Frame-Options", "DENY")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser may be gone
}

func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// origin returns where the form's answer redirects to, since browsers apply
// form-action to redirections too; "" when the URL can't stand in a header.
func origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || !regexp.MustCompile(`^[a-zA-Z0-9.:\[\]-]+$`).MatchString(u.Host) {
		return ""
	}
	return " " + u.Scheme + "://" + u.Host
}
