package oidcclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/rely-go/rely/assertion"
)

// The token types that are understood (RFC 6750, RFC 9449 §5). Providers write them
// in any case.
const (
	typeBearer = "Bearer"
	typeDPoP   = "DPoP"
)

// An AccessToken is what a call to an API shows: a token, and the key that it is
// bound to, where it is. A printed one shows nothing of either.
type AccessToken struct {
	// Value is the token.
	Value string
	// ProofKey is the key that a DPoP token is bound to (RFC 9449): each call then
	// needs a proof. Nil means a bearer token (RFC 6750), or one that is bound to the
	// client certificate (RFC 8705 §3), which is sent as one.
	ProofKey *assertion.ProofKey
}

// authorize puts the token, and a proof where one is needed, into a request.
func (t AccessToken) authorize(ctx context.Context, req *http.Request, nonce string, now time.Time) error {
	if t.Value == "" {
		return errors.New("oidcclient: there is no access token")
	}
	if t.ProofKey == nil {
		req.Header.Set("Authorization", typeBearer+" "+t.Value)
		return nil
	}
	proof, err := t.ProofKey.Sign(ctx, assertion.Proof{
		Method: cmp.Or(req.Method, http.MethodGet), URL: req.URL.String(), AccessToken: t.Value, Nonce: nonce, IssuedAt: now,
	})
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", typeDPoP+" "+t.Value)
	req.Header.Set("DPoP", proof)
	return nil
}

// String shows nothing of the token.
func (t AccessToken) String() string { return "oidcclient.AccessToken{" + redacted + "}" }

// Format keeps the token out of every verb of package fmt.
func (t AccessToken) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue shows nothing of the token.
func (t AccessToken) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON shows nothing of the token.
func (t AccessToken) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// AccessToken returns the session's access token with the key that it is bound to.
func (s *Session) AccessToken() AccessToken {
	return AccessToken{Value: s.data.AccessToken, ProofKey: s.proofKey.get()}
}

// AccessToken returns a token of [Client.Token] for calls to an API: with the
// client's own key where the client's tokens are bound to one ([Config.DPoP]).
func (c *Client) AccessToken(t *oauth2.Token) AccessToken {
	token := AccessToken{Value: t.AccessToken, ProofKey: c.own.last().get()}
	if c.cfg.DPoP && token.ProofKey == nil {
		token.ProofKey = &assertion.ProofKey{} // that of another Client: an error when it signs
	}
	return token
}
