package oidctest_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// A provider approves at once and sends the browser back with a code.
func Example() {
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{"http://127.0.0.1:8080/callback"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer op.Close()
	client := op.Client()

	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(client.AuthorizationEndpoint + "?" + url.Values{
		"client_id": {client.ClientID}, "redirect_uri": {client.RedirectURIs[0]}, "response_type": {"code"},
		"scope": {client.Scope}, "state": {"af0ifjsldkj"}, "code_challenge_method": {"S256"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
	}.Encode())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	back, err := answer.Location()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Path, back.Query().Has("code"), back.Query().Get("state"))
	// Output: /callback true af0ifjsldkj
}

// A test makes the provider sign a wrong audience.
func ExampleProvider_OnToken() {
	op, err := oidctest.New(oidctest.Config{System: oidctest.Faces})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer op.Close()
	op.OnToken(func(issue *oidctest.Issue) {
		if issue.Step == oidctest.StepToken {
			issue.Claims["aud"] = "somebody-else"
		}
	})
	fmt.Println(op.Client().Profile)
	// Output: faces
}
