package oidctest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
)

// stateCookie is what a browser's login is known by to the page of check_session_iframe,
// whose script reads it.
const stateCookie = "oidctest_state"

// sessionState makes session_state for a browser (OpenID Connect Session Management
// §4.2), and gives the browser a state of its own where it has none.
func sessionState(w http.ResponseWriter, r *http.Request, clientID, redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil {
		return ""
	}
	state := ""
	if cookie, err := r.Cookie(stateCookie); err == nil {
		state = cookie.Value
	}
	if state == "" {
		state = random(16)
		http.SetCookie(w, &http.Cookie{Name: stateCookie, Value: state, Path: "/", SameSite: http.SameSiteLaxMode})
	}
	salt := random(8)
	sum := sha256.Sum256([]byte(clientID + " " + u.Scheme + "://" + u.Host + " " + state + " " + salt))
	return hex.EncodeToString(sum[:]) + "." + salt
}

func forgetState(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: stateCookie, Path: "/", MaxAge: -1, SameSite: http.SameSiteLaxMode})
}

// checkScript answers whoever asks from the origin that the session_state is for.
const checkScript = `addEventListener("message",async function(e){` +
	`var m=String(e.data),i=m.lastIndexOf(" "),p=[m.slice(0,i)],s=m.slice(i+1).split(".");` + // a client id may have spaces
	`if(i<1||s.length!==2){e.source.postMessage("error",e.origin);return}` +
	`var c=(document.cookie.match(/oidctest_state=([^;]*)/)||[])[1]||"";` +
	`var h=await crypto.subtle.digest("SHA-256",new TextEncoder().encode(p[0]+" "+e.origin+" "+c+" "+s[1]));` +
	`var x=Array.from(new Uint8Array(h)).map(function(b){return b.toString(16).padStart(2,"0")}).join("");` +
	`e.source.postMessage(x===s[0]?"unchanged":"changed",e.origin)})`

// checkSessionPage is the page of check_session_iframe (OpenID Connect Session
// Management §3.2).
func (p *Provider) checkSessionPage(w http.ResponseWriter, _ *http.Request) {
	sum := sha256.Sum256([]byte(checkScript))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	_, _ = io.WriteString(w, "<!doctype html>\n<title>state</title>\n<script>"+checkScript+"</script>\n") // the browser may be gone
}

// withState adds session_state to an answer that brings a login.
func (p *Provider) withState(w http.ResponseWriter, r *http.Request, req *authRequest, values url.Values) url.Values {
	if p.endpointURL(StepCheckSession) != "" {
		if state := sessionState(w, r, p.client.id, req.redirectURI); state != "" {
			values.Set("session_state", state)
		}
	}
	return values
}
