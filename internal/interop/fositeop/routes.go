package main

import (
	"encoding/json"
	"log"
	"net/http"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
)

func (p *provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/auth", p.authorize)
	mux.HandleFunc("POST /par", p.push)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /introspect", p.introspect)
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		p.WriteRevocationResponse(r.Context(), w, p.NewRevocationRequest(r.Context(), r))
	})
	mux.HandleFunc("GET /userinfo", p.userInfo)
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.key.Public()}})
	})
	mux.HandleFunc("GET /.well-known/openid-configuration", p.metadata)
	return mux
}

// authorize has no pages: login_hint says who is there, alice where it says nothing,
// and "deny" is somebody who says no.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := p.NewAuthorizeRequest(ctx, r)
	if err != nil {
		log.Printf("authorize: %v", fosite.ErrorToRFC6749Error(err).WithExposeDebug(true).GetDescription())
		p.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	person := request.GetRequestForm().Get("login_hint")
	switch person {
	case "deny":
		p.WriteAuthorizeError(ctx, w, request, fosite.ErrAccessDenied.WithHint("The test person said no."))
		return
	case "":
		person = "alice"
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := p.NewAuthorizeResponse(ctx, request, p.session(person))
	if err != nil {
		p.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	p.WriteAuthorizeResponse(ctx, w, request, response)
}

func (p *provider) push(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := p.NewPushedAuthorizeRequest(ctx, r)
	if err != nil {
		p.WritePushedAuthorizeError(ctx, w, request, err)
		return
	}
	response, err := p.NewPushedAuthorizeResponse(ctx, request, p.session(""))
	if err != nil {
		p.WritePushedAuthorizeError(ctx, w, request, err)
		return
	}
	p.WritePushedAuthorizeResponse(ctx, w, request, response)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := p.NewAccessRequest(ctx, r, p.session(""))
	if err != nil {
		p.WriteAccessError(ctx, w, request, err)
		return
	}
	response, err := p.NewAccessResponse(ctx, request)
	if err != nil {
		p.WriteAccessError(ctx, w, request, err)
		return
	}
	p.WriteAccessResponse(ctx, w, request, response)
}

func (p *provider) introspect(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	response, err := p.NewIntrospectionRequest(ctx, r, p.session(""))
	if err != nil {
		p.WriteIntrospectionError(ctx, w, err)
		return
	}
	p.WriteIntrospectionResponse(ctx, w, response)
}

func (p *provider) userInfo(w http.ResponseWriter, r *http.Request) {
	token := fosite.AccessTokenFromRequest(r)
	_, request, err := p.IntrospectToken(r.Context(), token, fosite.AccessToken, p.session(""))
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	person := request.GetSession().GetSubject()
	answer(w, map[string]any{"sub": person, "email": person + "@example.test"})
}

func (p *provider) metadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer":                                p.issuer,
		"authorization_endpoint":                p.issuer + "/auth",
		"token_endpoint":                        p.issuer + "/token",
		"userinfo_endpoint":                     p.issuer + "/userinfo",
		"jwks_uri":                              p.issuer + "/jwks",
		"pushed_authorization_request_endpoint": p.issuer + "/par",
		"introspection_endpoint":                p.issuer + "/introspect",
		"revocation_endpoint":                   p.issuer + "/revoke",
		"response_types_supported":              []string{"code", "code id_token", "id_token", "id_token token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials", "implicit"},
	})
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client notices what is cut off
}
