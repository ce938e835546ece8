package oidcclient

import (
	"context"
	"net/url"

	"github.com/rely-go/rely/idtoken"
)

// Refresh asks for new tokens with the session's refresh token (RFC 6749 §6,
// OpenID Connect Core §12) and returns the session with them; s stays as it is.
// Store the new session before using it: a provider that rotates has already
// ended the old refresh token.
//
// An ID token in the answer has to be of the same issuer, subject, audience and
// authentication as the original. When the provider's keys can't be had just
// then, or something beside the tokens in its answer can't be read, the new tokens are
// not lost: the error's Session holds them with the old identity, to be stored and
// refreshed again later.
//
// [Error.LoginAgain] tells that the refresh token is dead. An error of another step than
// StepRefresh is from before it was sent, and says nothing about the session.
func (c *Client) Refresh(ctx context.Context, s *Session) (*Session, error) {
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, err // of another step: nobody has seen the refresh token
	}
	if s == nil || s.data.ClientID != c.cfg.ClientID || s.data.Issuer != c.issuer {
		return nil, refuse(StepRefresh, "session", "session is another client's")
	}
	if !s.CanRefresh() || c.cfg.Profile.Refresh.Never {
		return nil, refuse(StepRefresh, "refresh_token", "session has no refresh token")
	}
	form := url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {s.data.RefreshToken},
	}
	if c.cfg.Profile.Refresh.RedirectURI {
		form.Set("redirect_uri", c.cfg.RedirectURI)
	}
	key := s.proofKey
	if key == nil { // also of a session from before tokens were bound
		if key, err = c.newProofKey(StepRefresh, &found.ProviderMetadata); err != nil {
			return nil, err
		}
	}
	answered, err := c.requestToken(ctx, StepRefresh, found, form, key)
	if err != nil {
		return nil, err
	}
	fresh := *s
	fresh.proofKey = key
	fresh.data.take(answered, false)
	failed := answered.flaw
	// Of nobody's session an ID token makes no login: nothing of it was asked for.
	if answered.idToken != "" && s.Identified() && c.cfg.Profile.Identity != IdentifyNobody {
		if err := c.sameIdentity(ctx, found, &fresh, answered); err != nil {
			failed = asOurs(ctx, StepRefresh, err)
		}
	}
	if failed == nil {
		return &fresh, nil
	}
	if failed.Fault != FaultAnswer {
		failed.Session = &fresh
	}
	return nil, failed
}

// sameIdentity judges the identity of a refreshed token response against the
// session's own.
func (c *Client) sameIdentity(ctx context.Context, found *provider, s *Session, t *tokenResponse) error {
	if found.legacy != nil {
		legacy, err := found.legacy.Verify(ctx, t.idToken)
		if err != nil {
			return err
		}
		if legacy.Subject() != s.data.Subject {
			return &idtoken.Error{Check: idtoken.CheckRefresh, Reason: "refreshed identity is another person's"}
		}
		s.setLegacy(legacy)
		return nil
	}
	raw, _, err := c.decrypted(ctx, StepRefresh, c.cfg.IDTokenEncrypted, t.idToken)
	if err != nil {
		return err
	}
	token, err := found.verifier.Verify(ctx, raw, idtoken.Expect{AccessToken: t.accessToken, Original: s.IDToken()})
	if err != nil {
		return err
	}
	s.setIDToken(token)
	return nil
}
