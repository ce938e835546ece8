package oidcclient

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// A Pending is a login that was begun and not completed: what this one login
// expects of its answer. It belongs to the browser that began it, is good for
// one Complete, and leaves the process only sealed (see [Sealer]). Keep it in a
// cookie of that browser, or in a server's row that such a cookie names; never
// where only the state parameter leads to it.
type Pending struct {
	data pendingData
}

// pendingData is the stored form; pendingVersion counts its changes.
type pendingData struct {
	Version      int         `json:"v"`
	ClientID     string      `json:"client_id"`
	Issuer       string      `json:"iss"`
	RedirectURI  string      `json:"redirect_uri"`
	State        string      `json:"state"`
	Nonce        string      `json:"nonce,omitempty"`
	Verifier     string      `json:"code_verifier,omitempty"`
	ResponseMode string      `json:"response_mode,omitempty"`
	ResponseType string      `json:"response_type,omitempty"` // "" is code
	MaxAge       *int64      `json:"max_age,omitempty"`       // seconds
	MinACR       string      `json:"min_acr,omitempty"`
	Scopes       []string    `json:"scopes,omitempty"`
	Asked        askedClaims `json:"asked_claims,omitzero"`
	DPoPKey      []byte      `json:"dpop_key,omitempty"` // PKCS #8
	ExpiresAt    time.Time   `json:"exp"`
}

const pendingVersion = 1

// State returns the state parameter of the login. It identifies the login, and
// is not a secret from the browser that began it.
func (p *Pending) State() string { return p.data.State }

// ClientID returns the client that began the login.
func (p *Pending) ClientID() string { return p.data.ClientID }

// ExpiresAt returns when the login can no longer be completed.
func (p *Pending) ExpiresAt() time.Time { return p.data.ExpiresAt }

// ResponseMode returns the response mode that was asked for; "" means the
// response type's default, which is query.
func (p *Pending) ResponseMode() string { return p.data.ResponseMode }

// String shows nothing of the login.
func (p *Pending) String() string { return "oidcclient.Pending{" + redacted + "}" }

// Format keeps secrets out of every verb of package fmt.
func (p *Pending) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue shows nothing of the login.
func (p *Pending) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON shows nothing of the login; [Sealer.SealPending] stores it.
func (p *Pending) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// newUnguessable returns 256 random bits in base64url.
func newUnguessable() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
