// Command goidc is a relying party of go-oidc and x/oauth2.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	provider, err := oidc.NewProvider(context.Background(), os.Args[4])
	if err != nil {
		slog.Error("provider", "error", err)
		return
	}
	config := oauth2.Config{ClientID: os.Args[1], ClientSecret: os.Args[2], RedirectURL: os.Args[3], Endpoint: provider.Endpoint()}
	verifier := provider.Verifier(&oidc.Config{ClientID: os.Args[1]})
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, config.AuthCodeURL("state", oidc.Nonce("nonce")), http.StatusSeeOther)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		token, err := config.Exchange(r.Context(), r.FormValue("code"))
		if err != nil {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		raw, _ := token.Extra("id_token").(string)
		idToken, err := verifier.Verify(r.Context(), raw)
		if err != nil {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(idToken.Subject))
	})
	slog.Error("served", "error", http.ListenAndServe("127.0.0.1:0", nil))
}
