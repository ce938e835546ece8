package grants

import (
	"context"
	"errors"

	"golang.org/x/oauth2"

	"github.com/rely-go/rely/oidcclient"
)

// Token types of RFC 8693 §3, for an [Exchange].
const (
	TypeAccessToken  = "urn:ietf:params:oauth:token-type:access_token"  // an OAuth access token of the provider
	TypeRefreshToken = "urn:ietf:params:oauth:token-type:refresh_token" // an OAuth refresh token of the provider
	TypeIDToken      = "urn:ietf:params:oauth:token-type:id_token"      // an ID token
	TypeJWT          = "urn:ietf:params:oauth:token-type:jwt"           // any JWT
)

// An Exchange says which token is exchanged for which (RFC 8693 §2.1).
type Exchange struct {
	Request
	// SubjectToken is whom the new token is about, SubjectType what it is, one of
	// the Type constants. Required.
	SubjectToken, SubjectType string
	// ActorToken is who acts for that subject, and ActorType what it is; both or
	// neither.
	ActorToken, ActorType string
	// Audience names the service where the new token is to be used, beside
	// Resources.
	Audience []string
	// Want is the type of the new token; "" leaves that to the provider.
	Want string
}

// An Exchanged is the new token.
type Exchanged struct {
	// Token holds it as access token, whatever its type; its TokenType is N_A where it
	// can't be used as one (RFC 8693 §2.2.1).
	Token *oauth2.Token
	// Type is what it is: issued_token_type.
	Type string
}

// ExchangeToken exchanges a token (RFC 8693). The answer has to say what it is, and
// where Want says what it has to be, to be that.
func ExchangeToken(ctx context.Context, c *oidcclient.Client, e Exchange) (*Exchanged, error) {
	if e.SubjectToken == "" || e.SubjectType == "" || (e.ActorToken == "") != (e.ActorType == "") {
		return nil, errors.New("grants: exchange has no subject token with its type, or an actor token without")
	}
	form := e.form("urn:ietf:params:oauth:grant-type:token-exchange")
	for name, value := range map[string]string{
		"subject_token": e.SubjectToken, "subject_token_type": e.SubjectType,
		"actor_token": e.ActorToken, "actor_token_type": e.ActorType, "requested_token_type": e.Want,
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if len(e.Audience) > 0 {
		form["audience"] = e.Audience
	}
	token, err := c.Token(ctx, form)
	if err != nil {
		return nil, err
	}
	kind, _ := token.Extra("issued_token_type").(string)
	refused := &oidcclient.Error{Step: oidcclient.StepGrant, Fault: oidcclient.FaultProvider}
	switch {
	case kind == "" || e.Want != "" && kind != e.Want:
		refused.Check, refused.Reason = "issued_token_type", "answer does not say what the token is, or it is not what was asked for"
		return nil, refused
	case kind == TypeAccessToken && token.TokenType == "N_A":
		refused.Check, refused.Reason = "token_type", "answer has an access token that is of no token type"
		return nil, refused
	}
	return &Exchanged{Token: token, Type: kind}, nil
}
