package oidcclient

import (
	"context"
	"net/url"
	"slices"

	"github.com/rely-go/rely/idtoken"
)

// typeHybrid is the response type whose ID token comes with the code (OpenID
// Connect Core §3.3).
const typeHybrid = "code id_token"

// frontIdentity judges the ID token that came with the code, before the code is
// sent: its c_hash says that the code is the provider's answer to this login, and
// it has to be there (OpenID Connect Core §3.3.2.9, §3.3.2.10); s_hash counts where
// it is there. Nil where none was asked for.
func (c *Client) frontIdentity(ctx context.Context, found *provider, d *pendingData, values url.Values, code string) (*idtoken.IDToken, error) {
	if !c.cfg.hybrid() {
		return nil, nil
	}
	raw, _, err := c.decrypted(ctx, StepCallback, c.cfg.IDTokenEncrypted, values.Get("id_token"))
	if err != nil {
		return nil, err
	}
	token, err := found.verifier.Verify(ctx, raw, idtoken.Expect{Nonce: d.Nonce, Code: code, State: d.State, MaxTokenAge: maxTokenAge})
	if err != nil {
		return nil, notBelieved(ctx, StepCallback, err)
	}
	made := func(o idtoken.Outcome) bool { return o.Check == idtoken.CheckCodeHash && o.Made }
	if !slices.ContainsFunc(token.Checks(), made) {
		return nil, refuse(StepCallback, idtoken.CheckCodeHash.String(), "c_hash is missing")
	}
	return token, nil
}

// sameAsFront refuses an ID token of the token endpoint that is about somebody else
// than the one that came with the code (OpenID Connect Core §3.3.3.6).
func sameAsFront(front *idtoken.IDToken, s *Session) error {
	if front == nil {
		return nil
	}
	if front.Issuer() != s.IDToken().Issuer() || front.Subject() != s.IDToken().Subject() {
		return refuse(StepIdentity, idtoken.CheckSubject.String(), "ID token is about somebody else than the one that came with the code")
	}
	return nil
}
