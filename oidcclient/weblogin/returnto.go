package weblogin

import (
	"net/url"
	"strings"
)

// maxReturnTo bounds what a login remembers of where the browser came from, in
// bytes: it travels in a cookie.
const maxReturnTo = 1024

// returnTo returns raw where it is a path, with or without query and fragment,
// that every browser keeps on this origin, and "/" otherwise.
//
// Browsers read a URL by the WHATWG rules, not by RFC 3986: they drop tabs and
// line feeds, trim controls and blanks, and take "\" for "/", so that "/\e" and
// "/<tab>/e" name the host e. Hence no such character passes; a path starts with
// exactly one slash; and dot segments, which browsers resolve even in the form
// %2e, can't bring a second slash to the front ("/.//e").
func returnTo(raw string) string {
	if len(raw) > maxReturnTo || !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") {
		return "/"
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return "/"
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	// Judged as a browser resolves it, and also decoded once more, as a proxy
	// or an application may.
	for _, p := range []string{u.EscapedPath(), u.Path} {
		if strings.Contains(p, "//") || strings.Contains(p, "\\") || strings.ContainsFunc(p, control) {
			return "/"
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return "/"
		}
	}
	return raw
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
