package idtoken

import (
	"context"
	"time"
)

// A LogoutToken was believed: the provider says that a session has ended
// (OpenID Connect Back-Channel Logout 1.0 §2.4).
type LogoutToken struct {
	issuer, subject, sessionID, id string
	expiry                         time.Time
}

// Issuer returns iss.
func (t *LogoutToken) Issuer() string { return t.issuer }

// Subject returns sub, or "": then SessionID says which session has ended.
func (t *LogoutToken) Subject() string { return t.subject }

// SessionID returns sid, or "": then all sessions of Subject have ended.
func (t *LogoutToken) SessionID() string { return t.sessionID }

// JWTID returns jti. A token whose jti was seen before is a replay; it has to be
// remembered until Expiry.
func (t *LogoutToken) JWTID() string { return t.id }

// Expiry returns when the token is no longer accepted.
func (t *LogoutToken) Expiry() time.Time { return t.expiry }

const (
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// maxLogoutAge bounds a logout token that has no exp, as older providers
	// send, and the age of any.
	maxLogoutAge = 2 * time.Minute
)

// VerifyLogoutToken decides whether raw is a logout token of the provider for
// this client (Back-Channel Logout §2.6). typ is logout+jwt, JWT or absent; it
// has no nonce; jti, iat, events and sub or sid are there; and it is at most two
// minutes old, unless its exp is later. Whether it is a replay is for the
// caller: see [LogoutToken.JWTID]. Errors are [*Error].
func (v *Verifier) VerifyLogoutToken(ctx context.Context, raw string) (*LogoutToken, error) {
	t, err := v.open(ctx, raw, "logout+jwt", "jwt")
	if err != nil {
		return nil, err
	}
	for _, step := range sequence[:2] { // issuer and audience, as in an ID token
		if _, reason := step.ask(v, t); reason != "" {
			return nil, refused(step.check, reason)
		}
	}
	if refusal := v.checkOptionalTimes(t); refusal != nil {
		return nil, refusal
	}
	out := &LogoutToken{issuer: v.config.Issuer}
	if refusal := v.logoutTimes(t, out); refusal != nil {
		return nil, refusal
	}
	if refusal := t.logoutEvent(out); refusal != nil {
		return nil, refusal
	}
	return out, nil
}

func (v *Verifier) logoutTimes(t *token, out *LogoutToken) *Error {
	issuedAt, ok, _ := v.date(t, "iat")
	if !ok {
		return refused(CheckIssuedAt, "iat is missing")
	}
	end := issuedAt + int64(maxLogoutAge/time.Second)
	if expiry, ok, _ := v.date(t, "exp"); ok {
		end = expiry
	}
	if v.after(t, end) {
		return refused(CheckIssuedAt, "logout token is too old")
	}
	out.expiry = time.Unix(end, 0).Add(v.skew).UTC()
	return nil
}

// logoutEvent reads what makes a token a logout token.
func (t *token) logoutEvent(out *LogoutToken) *Error {
	events, _, err := t.claims.Object("events")
	if err != nil {
		return refused(CheckEvent, "events is no object")
	}
	if _, ok, err := events.Object(logoutEvent); err != nil || !ok {
		return refused(CheckEvent, "event is not a logout")
	}
	if t.claims.Has("nonce") {
		return refused(CheckNonce, "logout token has a nonce")
	}
	var valid bool
	if out.id, _, valid = t.text("jti"); !valid || out.id == "" || len(out.id) > maxSubject {
		return refused(CheckExtra, "jti is missing, too long or no string")
	}
	if out.subject, _, valid = t.text("sub"); !valid || len(out.subject) > maxSubject {
		return refused(CheckSubject, "sub is too long or no string")
	}
	if out.sessionID, _, valid = t.text("sid"); !valid || len(out.sessionID) > maxSubject {
		return refused(CheckSubject, "sid is too long or no string")
	}
	if out.subject == "" && out.sessionID == "" {
		return refused(CheckSubject, "logout token has neither sub nor sid")
	}
	return nil
}
