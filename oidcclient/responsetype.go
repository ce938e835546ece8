package oidcclient

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
)

// A responseType says what comes back with the browser (OAuth 2.0 Multiple Response
// Type Encoding Practices §3, §5).
type responseType struct {
	name        string // registered
	code        bool   // a token request follows
	idToken     bool
	accessToken bool
}

const typeCode = "code"

// responseTypeOf reads a response type, in which the order of the words says nothing.
// "" is code. Two are none of ours: "token" identifies nobody, "none" brings nothing.
func responseTypeOf(text string) (responseType, bool) {
	words := strings.Fields(text)
	if len(words) == 0 {
		words = []string{typeCode}
	}
	t := responseType{}
	var registered []string
	for _, part := range []struct {
		word string
		has  *bool
	}{{typeCode, &t.code}, {"id_token", &t.idToken}, {"token", &t.accessToken}} {
		if *part.has = slices.Contains(words, part.word); *part.has {
			registered = append(registered, part.word)
		}
	}
	t.name = strings.Join(registered, " ")
	return t, len(registered) == len(words) && (t.code || t.idToken)
}

// front reports whether tokens come with the browser, which then must not have them
// in a query.
func (t responseType) front() bool { return t.idToken || t.accessToken }

// expected refuses an answer that has something else than was asked for.
func (t responseType) expected(values url.Values) *Error {
	for _, part := range []struct {
		name, there string
		wanted      bool
	}{
		{"code", "neither a code nor an error came back", t.code},
		{"id_token", "no ID token came with the answer", t.idToken},
		{"access_token", "no access token came with the answer", t.accessToken},
	} {
		switch {
		case !part.wanted && values.Has(part.name):
			return refuse(StepCallback, "parameters", "tokens came back that were not asked for")
		case part.wanted && values.Get(part.name) == "":
			return refuse(StepCallback, part.name, part.there)
		}
	}
	return nil
}

// frontIdentity judges the ID token that came with the browser, before a code is
// sent: c_hash and at_hash say that the code and the access token beside it are the
// provider's answer to this login, and have to be there (OpenID Connect Core §3.2.2.10,
// §3.3.2.11); s_hash counts where it is there. Claims that were asked for may come with
// the next one only (§3.3.3.6). Nil where none was asked for.
func (c *Client) frontIdentity(ctx context.Context, found *provider, d *pendingData, values url.Values) (*idtoken.IDToken, error) {
	kind := c.cfg.responseType()
	if !kind.idToken {
		return nil, nil
	}
	raw, _, err := c.decrypted(ctx, StepCallback, c.cfg.IDTokenEncrypted, values.Get("id_token"))
	if err != nil {
		return nil, err
	}
	want := idtoken.Expect{Nonce: d.Nonce}
	if !kind.code { // this is the identity
		want = d.expect()
	}
	want.Code, want.AccessToken, want.State = values.Get("code"), values.Get("access_token"), d.State
	want.RequireHashes, want.RequireStateHash, want.MaxTokenAge = true, c.cfg.FAPI == FAPI1Advanced, maxTokenAge
	token, err := found.verifier.Verify(ctx, raw, want)
	if err != nil {
		return nil, notBelieved(ctx, StepCallback, err)
	}
	if err := d.Asked.check(StepCallback, token, !kind.code, c.cfg.Profile.Rules.ACR); err != nil {
		return nil, err
	}
	return token, nil
}

// frontTokens reads the access token that came with the browser as if the token
// endpoint had answered it (OAuth 2.0 §4.2.2).
func (c *Client) frontTokens(values url.Values) (*tokenResponse, error) {
	if !values.Has("access_token") {
		return &tokenResponse{received: c.now().UTC().Round(0)}, nil
	}
	members := map[string]string{}
	for _, name := range []string{"access_token", "token_type", "expires_in", "scope"} {
		if values.Has(name) {
			members[name] = values.Get(name)
		}
	}
	body, err := json.Marshal(members)
	if err != nil {
		return nil, refuse(StepCallback, "parameters", "a parameter is no text")
	}
	t, err := readTokenResponse(StepCallback, &fetch.Answer{Status: http.StatusOK, MediaType: "application/json", Body: body}, []string{typeBearer}, c.now())
	var e *Error
	if errors.As(err, &e) {
		return nil, refuse(StepCallback, e.Check, e.Reason) // who brought it is a browser
	}
	return t, err
}

// frontSession makes the session of a login without a token request.
func (c *Client) frontSession(d *pendingData, token *idtoken.IDToken, values url.Values) (*Session, error) {
	tokens, err := c.frontTokens(values)
	if err != nil {
		return nil, err
	}
	s := c.newSession(d, tokens)
	s.setIDToken(token)
	if tokens.accessToken != "" {
		s.data.FrontChannel = 1
	}
	return s, nil
}

// sameAsFront refuses an ID token of the token endpoint that is about somebody else
// than the one that came with the browser (OpenID Connect Core §3.3.3.6).
func sameAsFront(front *idtoken.IDToken, s *Session) error {
	if front == nil {
		return nil
	}
	if front.Issuer() != s.IDToken().Issuer() || front.Subject() != s.IDToken().Subject() {
		return refuse(StepIdentity, idtoken.CheckSubject.String(), "ID token is about somebody else than the one that came with the code")
	}
	return nil
}
