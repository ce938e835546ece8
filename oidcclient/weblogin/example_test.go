package weblogin_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

func Example() {
	client, err := oidcclient.New(oidcclient.Config{
		Profile:      profiles.OpenID(),
		Issuer:       "https://op.example",
		ClientID:     "my-client",
		ClientSecret: "my-secret",
		RedirectURI:  "https://app.example/callback/acme",
	})
	if err != nil {
		log.Fatal(err)
	}
	login, err := weblogin.New(weblogin.Config{
		Clients: map[string]*oidcclient.Client{"acme": client},
		BaseURL: "https://app.example",
	})
	if err != nil {
		log.Fatal(err)
	}
	account := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := login.Session(r)
		if err != nil {
			return // Require lets nobody through without one
		}
		fmt.Fprintln(w, "Hello,", session.Login.Subject())
	})
	mux := http.NewServeMux()
	mux.Handle("/", login)
	mux.Handle("/account", login.Require(weblogin.Requirement{}, account))

	// A browser without a session is sent to log in, and comes back.
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/account", nil))
	fmt.Println(answer.Code, answer.Header().Get("Location"))

	// A program is told so.
	answer = httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "/session", nil)
	request.Header.Set("Accept", "application/json")
	mux.ServeHTTP(answer, request)
	fmt.Print(answer.Code, " ", answer.Body)
	// Output:
	// 303 /login/acme?return_to=%2Faccount
	// 401 {"error":"login_required","error_description":"there is no session"}
}
