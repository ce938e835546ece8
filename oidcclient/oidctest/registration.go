package oidctest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// registerClient is the registration endpoint (RFC 7591, OpenID Connect Dynamic Client
// Registration §3). Whoever registers becomes the provider's one client: its redirect
// URIs are those of the latest registration, and its identifier, secret, method and key
// stay what they are.
func (p *Provider) registerClient(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	var members map[string]any
	if err != nil || json.Unmarshal(text, &members) != nil || members == nil {
		refuse("invalid_client_metadata", "metadata are no JSON object").answer(w)
		return
	}
	if want := p.config.InitialAccessToken; want != "" && r.Header.Get("Authorization") != "Bearer "+want {
		bad := refuse("invalid_token", "initial access token is wrong")
		bad.status = http.StatusUnauthorized
		bad.answer(w)
		return
	}
	uris := texts(members["redirect_uris"])
	if len(uris) == 0 {
		refuse("invalid_redirect_uri", "redirect_uris is missing").answer(w)
		return
	}
	p.SetRedirectURIs(uris...)
	p.mu.Lock()
	p.config.PostLogoutRedirectURIs = texts(members["post_logout_redirect_uris"])
	p.mu.Unlock()
	members["client_id"], members["token_endpoint_auth_method"] = p.client.id, p.client.method
	if p.client.secret != "" {
		members["client_secret"], members["client_secret_expires_at"] = p.client.secret, 0
	}
	writeJSON(w, http.StatusCreated, "application/json", members, []string{"client_id"})
}

// answer says it as RFC 7591 §3.2.2 and RFC 6749 §5.2 do.
func (bad *refusal) answer(w http.ResponseWriter) {
	writeMembers(w, bad.status, []member{{"error", bad.code}, {"error_description", bad.text}})
}

func texts(list any) []string {
	var out []string
	values, _ := list.([]any)
	for _, v := range values {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// webfinger names the issuer of everybody here (OpenID Connect Discovery §2, RFC 7033).
func (p *Provider) webfinger(w http.ResponseWriter, r *http.Request) {
	const relation = "http://openid.net/specs/connect/1.0/issuer"
	query, host := r.URL.Query(), strings.TrimPrefix(p.base, "http://")
	resource := query.Get("resource")
	if !strings.HasSuffix(resource, "@"+host) && !strings.HasPrefix(resource, p.base+"/") && resource != p.base || query.Get("rel") != relation {
		http.NotFound(w, r)
		return
	}
	writeJSON(w, http.StatusOK, "application/jrd+json", map[string]any{
		"subject": resource, "links": []map[string]string{{"rel": relation, "href": p.Issuer()}},
	}, []string{"subject"})
}
