package oidcclient

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/packed"
	"github.com/rely-go/rely/internal/strictjson"
)

// A Session is what a completed login is worth: who the person is, by which
// checks that is believed, and the tokens. It is immutable: [Client.Refresh] and
// [Client.UserInfo] return new ones. It leaves the process only sealed (see
// [Sealer]). The zero Session is nobody's.
type Session struct {
	data    sessionData
	idToken *keptToken // nil where there is a legacy identity, or none
	legacy  *idtoken.LegacyIdentity

	proofKey *keptProofKey // that the tokens are bound to, or nil
}

// keptToken is an ID token that was verified before it was sealed. It is read when
// somebody asks for its claims: a session in a cookie is opened with every
// request.
type keptToken struct {
	raw   string
	once  sync.Once
	token *idtoken.IDToken
}

func (k *keptToken) get() *idtoken.IDToken {
	if k == nil {
		return nil
	}
	k.once.Do(func() {
		if k.token == nil {
			// It was read before, and nobody without the key can have sealed
			// another one: nil, which is nobody's, never comes about.
			k.token, _ = idtoken.Restore(k.raw)
		}
	})
	return k.token
}

// sessionData is the stored form; sessionVersion counts its changes.
type sessionData struct {
	Version            int64
	ClientID           string
	Issuer             string
	Subject            string
	IDToken            string // "" where there is a Legacy, or nobody
	Legacy             string // JSON
	AlternativeSubject string
	AccessToken        string
	RefreshToken       string
	Scopes             []string
	Expiry             time.Time
	ReceivedAt         time.Time // the tokens
	StartedAt          time.Time
	UserInfo           string // JSON; "" when it was not asked for
	Details            string // JSON of authorization_details; "" when none came
	ProofKey           string // PKCS #8; "" where tokens are not bound to one
	SessionState       string // session_state; "" when none came
	FrontChannel       int64  // 1: the access token came with the browser
	Sources            string // JSON of the claim sources; "" without any

	// Of the authentication, which a refreshed ID token may leave out.
	SessionID, ACR string
	AMR            []string
	AuthTime       time.Time
}

const sessionVersion = 5

// pack and unpack are the only places that know the order.
func (d *sessionData) pack() []byte {
	var w packed.Writer
	w.Int(d.Version)
	w.Text(d.ClientID)
	w.Text(d.Issuer)
	w.Text(d.Subject)
	w.Text(d.IDToken)
	w.Text(d.Legacy)
	w.Text(d.AlternativeSubject)
	w.Text(d.AccessToken)
	w.Text(d.RefreshToken)
	w.Texts(d.Scopes)
	w.Time(d.Expiry)
	w.Time(d.ReceivedAt)
	w.Time(d.StartedAt)
	w.Text(d.UserInfo)
	w.Text(d.Details)
	w.Text(d.ProofKey)
	w.Text(d.SessionState)
	w.Int(d.FrontChannel)
	w.Text(d.Sources)
	w.Text(d.SessionID)
	w.Text(d.ACR)
	w.Texts(d.AMR)
	w.Time(d.AuthTime)
	return w.Bytes()
}

func (d *sessionData) unpack(text []byte) (ok bool) {
	r := packed.NewReader(text)
	*d = sessionData{
		Version: r.Int(), ClientID: r.Text(), Issuer: r.Text(), Subject: r.Text(), IDToken: r.Text(), Legacy: r.Text(),
		AlternativeSubject: r.Text(), AccessToken: r.Text(), RefreshToken: r.Text(), Scopes: r.Texts(),
		Expiry: r.Time(), ReceivedAt: r.Time(), StartedAt: r.Time(), UserInfo: r.Text(), Details: r.Text(),
		ProofKey: r.Text(), SessionState: r.Text(), FrontChannel: r.Int(), Sources: r.Text(),
		SessionID: r.Text(), ACR: r.Text(), AMR: r.Texts(), AuthTime: r.Time(),
	}
	return r.Done() && d.Version == sessionVersion
}

// take copies what a token response brings; what it doesn't mention stays
// (RFC 6749 §5.1 for scope, §6 for the refresh token).
func (d *sessionData) take(t *tokenResponse, neverRefresh bool) {
	d.AccessToken, d.Expiry, d.ReceivedAt = t.accessToken, t.expiry, t.received
	if t.refreshToken != "" && !neverRefresh {
		d.RefreshToken = t.refreshToken
	}
	if t.hasScope {
		d.Scopes = strings.Fields(t.scope)
	}
	if t.details != "" {
		d.Details = t.details
	}
}

// setIDToken takes the identity from a token. A refreshed one is about the same
// authentication, and what it does not repeat of that stays (OpenID Connect Core §12.2).
func (s *Session) setIDToken(token *idtoken.IDToken) {
	s.idToken = &keptToken{raw: token.Raw(), token: token}
	d := &s.data
	d.IDToken, d.Subject = token.Raw(), token.Subject()
	if sid := token.SessionID(); sid != "" {
		d.SessionID = sid
	}
	if acr := token.ACR(); acr != "" {
		d.ACR = acr
	}
	if amr := token.AMR(); len(amr) > 0 {
		d.AMR = amr
	}
	if at, ok := token.AuthTime(); ok {
		d.AuthTime = at.UTC()
	}
}

func (s *Session) setLegacy(legacy *idtoken.LegacyIdentity) {
	s.legacy = legacy
	s.data.Subject = legacy.Subject()
}

// ClientID returns the client that the person logged in with.
func (s *Session) ClientID() string { return s.data.ClientID }

// Issuer returns who says so. Issuer and Subject together identify the person;
// neither does alone (OpenID Connect Core §2).
func (s *Session) Issuer() string { return s.data.Issuer }

// Identified reports whether the session says who the person is. It does not for a
// profile with [IdentifyNobody], and then nobody may be let in by it: it is good for
// calling APIs.
func (s *Session) Identified() bool { return s.data.Subject != "" }

// Subject returns the person's identifier at the issuer; "" where nobody is
// [Session.Identified].
func (s *Session) Subject() string { return s.data.Subject }

// AlternativeSubject returns the claim that the provider recommends in the
// place of sub, where its profile knows one and the ID token has it. Choose it
// before the first person is stored: it is another identifier than Subject.
func (s *Session) AlternativeSubject() (string, bool) {
	if s.idToken == nil || s.data.AlternativeSubject == "" {
		return "", false
	}
	claims := map[string]any{}
	if err := s.IDToken().Claims(&claims); err != nil {
		return "", false
	}
	value, ok := claims[s.data.AlternativeSubject].(string)
	return value, ok && value != ""
}

// SessionID returns sid, the provider's name for its own session, by which a
// logout token ends this one; "" when the ID token has none.
func (s *Session) SessionID() string { return s.data.SessionID }

// IDToken returns the verified ID token; nil where the identity is a legacy one, or
// there is none.
func (s *Session) IDToken() *idtoken.IDToken { return s.idToken.get() }

// Legacy returns the legacy identity; nil where there is an ID token.
func (s *Session) Legacy() *idtoken.LegacyIdentity { return s.legacy }

// Claims decodes the claims of the ID token or legacy identity into v, by exact
// names.
func (s *Session) Claims(v any) error {
	if s.legacy != nil {
		return s.legacy.Claims(v)
	}
	return s.IDToken().Claims(v)
}

// HasUserInfo reports whether userinfo was asked for and verified.
func (s *Session) HasUserInfo() bool { return s.data.UserInfo != "" }

// UserInfoClaims decodes the verified userinfo into v, by exact names. Without
// userinfo it leaves v as it is.
func (s *Session) UserInfoClaims(v any) error {
	if s.data.UserInfo == "" {
		return nil
	}
	return strictjson.Unmarshal([]byte(s.data.UserInfo), v, maxDepth)
}

// ACR returns the authentication context class of the login; "" when the
// provider named none.
func (s *Session) ACR() string { return s.data.ACR }

// AMR returns the authentication methods of the login.
func (s *Session) AMR() []string { return slices.Clone(s.data.AMR) }

// AuthenticatedAt returns when the person authenticated at the provider
// (auth_time); false when it did not say, as it may unless it was asked for a
// maximum age.
func (s *Session) AuthenticatedAt() (time.Time, bool) {
	return s.data.AuthTime, !s.data.AuthTime.IsZero()
}

// Scopes returns what the access token is good for: what the provider said, or
// what was asked for where it said nothing (RFC 6749 §5.1).
func (s *Session) Scopes() []string { return slices.Clone(s.data.Scopes) }

// AuthorizationDetails decodes what the access token is good for in detail, as
// the provider granted it, into v, by exact names: an array of objects with a type
// each (RFC 9396 §7). It is false, and v as it was, where the provider said nothing of
// them: what was asked for is then not known to be granted.
func (s *Session) AuthorizationDetails(v any) (said bool, err error) {
	if s.data.Details == "" {
		return false, nil
	}
	return true, strictjson.Unmarshal([]byte(s.data.Details), v, maxDepth)
}

// Expiry returns when the access token ends; zero when the provider didn't say.
// It is not the end of the session, which the application decides.
func (s *Session) Expiry() time.Time { return s.data.Expiry }

// refreshAhead is the longest time before its end at which an access token is
// renewed.
const refreshAhead = 10 * time.Second

// RefreshAt returns when to renew the tokens, so that the access token does not
// end on its way: ten seconds before it ends, and the last quarter of its life
// where that is shorter, so that a provider of short-lived tokens isn't asked
// for each request. Zero when the provider didn't say when it ends.
func (s *Session) RefreshAt() time.Time {
	if s.data.Expiry.IsZero() {
		return time.Time{}
	}
	return s.data.Expiry.Add(-min(refreshAhead, s.data.Expiry.Sub(s.data.ReceivedAt)/4))
}

// StartedAt returns when the login was completed.
func (s *Session) StartedAt() time.Time { return s.data.StartedAt }

// CanRefresh reports whether there is a refresh token.
func (s *Session) CanRefresh() bool { return s.data.RefreshToken != "" }

// Token returns the tokens for calling APIs. Its fields are secrets, and an
// oauth2.Token prints them. A token whose type is DPoP is of use only with
// [Session.AccessToken].
func (s *Session) Token() *oauth2.Token {
	tokenType := typeBearer
	if s.proofKey != nil {
		tokenType = typeDPoP
	}
	return &oauth2.Token{
		AccessToken: s.data.AccessToken, TokenType: tokenType,
		RefreshToken: s.data.RefreshToken, Expiry: s.data.Expiry,
	}
}

// FrontChannelToken reports whether the access token came with the browser, in whose
// history and to whose scripts it may be known (RFC 9700 §2.1.2).
func (s *Session) FrontChannelToken() bool { return s.data.FrontChannel != 0 }

// SessionState returns session_state, by which the provider's check_session_iframe
// tells whether the person is still logged in there (OpenID Connect Session Management
// §3); "" when it sent none.
func (s *Session) SessionState() string { return s.data.SessionState }

// Checks returns what was checked before the identity was believed, without
// personal data: an audit record. It is empty for a session that was opened
// from its sealed form.
func (s *Session) Checks() []idtoken.Outcome { return s.IDToken().Checks() }

// String shows nothing of the session, but whether there is one.
func (s *Session) String() string {
	if s == nil {
		return "<nil>"
	}
	return "oidcclient.Session{" + redacted + "}"
}

// Format keeps secrets out of every verb of package fmt.
func (s *Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue shows nothing of the session.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON shows nothing of the session; [Sealer.SealSession] stores it.
func (s *Session) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
