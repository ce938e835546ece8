// Command rely is a relying party of oidcclient.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"sync"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

func main() {
	client, err := oidcclient.New(oidcclient.Config{
		Profile: profiles.OpenID(), ClientID: os.Args[1], ClientSecret: os.Args[2], AuthMethod: "client_secret_basic", RedirectURI: os.Args[3], Issuer: os.Args[4],
	})
	if err != nil {
		slog.Error("client", "error", err)
		return
	}
	var begun sync.Map
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		authorization, pending, err := client.Begin(r.Context(), oidcclient.BeginOptions{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		begun.Store(r.RemoteAddr, pending)
		authorization.ServeHTTP(w, r)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		pending, ok := begun.LoadAndDelete(r.RemoteAddr)
		if !ok {
			http.Error(w, "no login", http.StatusBadRequest)
			return
		}
		session, err := client.Complete(r.Context(), pending.(*oidcclient.Pending), r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if session, err = client.Refresh(r.Context(), session); err != nil {
			slog.Info("refresh", "error", err)
			return
		}
		_, _ = w.Write([]byte(session.Subject()))
	})
	slog.Error("served", "error", http.ListenAndServe("127.0.0.1:0", nil))
}
