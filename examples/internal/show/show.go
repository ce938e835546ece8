// Package show prints, for the examples beside it, what a login is worth.
package show

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rely-go/rely/oidcclient"
)

// RedirectURI is where the examples' providers send the browser back to. Nothing
// listens there: the browser of package relying stops before it goes there.
const RedirectURI = "http://127.0.0.1:8080/callback"

// Session prints who the person of a session is, by which checks that is
// believed, and what userinfo says, where it was asked for.
func Session(w io.Writer, s *oidcclient.Session) error {
	fmt.Fprintln(w, "issuer: ", s.Issuer())
	fmt.Fprintln(w, "subject:", s.Subject())
	if s.ACR() != "" {
		fmt.Fprintln(w, "acr:    ", s.ACR())
	}
	var made []string
	for _, outcome := range s.Checks() {
		if outcome.Made {
			made = append(made, outcome.Check.String())
		}
	}
	if len(made) > 0 {
		fmt.Fprintln(w, "checked:", strings.Join(made, ", "))
	}
	if !s.HasUserInfo() {
		return nil
	}
	said := map[string]any{}
	if err := s.UserInfoClaims(&said); err != nil {
		return err
	}
	fmt.Fprintln(w, "userinfo:", strings.Join(slices.Sorted(maps.Keys(said)), ", "))
	return nil
}
