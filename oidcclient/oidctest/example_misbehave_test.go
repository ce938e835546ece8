package oidctest_test

import (
	"fmt"

	"github.com/rely-go/rely/oidcclient/oidctest"
)

// An application's own test does this with each misbehaviour of the list.
func ExampleProvider_Misbehave() {
	op, err := oidctest.New(oidctest.Config{SigningAlg: "ES256", RedirectURIs: []string{"http://127.0.0.1:1/callback"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer op.Close()
	for _, m := range oidctest.Misbehaviours() {
		if m.Name != "ID token other nonce" {
			continue // here only one, for the sake of the output
		}
		op.Misbehave(m)
		// Log in to the application: it must refuse, and make no session.
		fmt.Printf("%s It must be refused at %s by %s.\n", m.About, m.Step, m.Check)
		op.Misbehave(oidctest.Misbehaviour{}) // and now a login must work
	}
	// Output: The token is of another login. It must be refused at identity by nonce.
}
