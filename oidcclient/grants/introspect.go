package grants

import (
	"context"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

// An Introspection is what a provider says about a token (RFC 7662 §2.2). Of a token
// that is not active nothing else is known.
type Introspection struct {
	Active    bool     // the token is good now, for whom the provider asks about it
	Scope     string   // separated by spaces
	ClientID  string   // who got it
	Username  string   // of the person, for people
	TokenType string   // Bearer, DPoP
	Issuer    string   // iss
	Subject   string   // sub
	Audience  []string // aud
	// ExpiresAt, IssuedAt and NotBefore are zero where the provider says nothing.
	ExpiresAt, IssuedAt, NotBefore time.Time

	all strictjson.Object
}

// Claims decodes all members of the answer into v, by exact names.
func (i *Introspection) Claims(v any) error { return i.all.Decode(v) }

// maxDepth bounds the nesting of an answer.
const maxDepth = 32

// Introspect asks the provider about a token: in plain JSON (RFC 7662), or signed where
// Config.IntrospectionAlgorithm says so (RFC 9701). hint is one of the constants, or "".
// What the answer says of the time is not compared with ours: active is the provider's
// word for all of it.
func Introspect(ctx context.Context, c *oidcclient.Client, token, hint string) (*Introspection, error) {
	text, err := c.Call(ctx, oidcclient.EndpointIntrospect, tokenForm(token, hint))
	if err != nil {
		return nil, err
	}
	object, err := strictjson.ParseObject(text, maxDepth)
	if err != nil {
		return nil, malformed("answer is not one strict JSON object")
	}
	active, there, err := object.Bool("active")
	if err != nil || !there {
		return nil, malformed("answer does not say whether the token is active (RFC 7662 §2.2)")
	}
	if !active {
		return &Introspection{all: object}, nil
	}
	i := &Introspection{Active: true, all: object}
	for name, into := range map[string]*string{
		"scope": &i.Scope, "client_id": &i.ClientID, "username": &i.Username, "token_type": &i.TokenType, "iss": &i.Issuer, "sub": &i.Subject,
	} {
		if *into, _, err = object.String(name); err != nil {
			return nil, malformed("answer has a " + name + " that is no string")
		}
	}
	for name, into := range map[string]*time.Time{"exp": &i.ExpiresAt, "iat": &i.IssuedAt, "nbf": &i.NotBefore} {
		if *into, err = moment(object, name); err != nil {
			return nil, malformed("answer has an " + name + " that is no date")
		}
	}
	if i.Audience, _, err = object.Strings("aud"); err != nil {
		return nil, malformed("answer has an aud that is no string or list")
	}
	return i, nil
}

// moment reads a NumericDate (RFC 7519 §2); zero when it is not there.
func moment(object strictjson.Object, name string) (time.Time, error) {
	number, there, err := object.Number(name)
	if err != nil || !there {
		return time.Time{}, err
	}
	seconds, err := number.Float64()
	return time.Unix(int64(seconds), 0).UTC(), err
}

func malformed(reason string) error {
	return &oidcclient.Error{Step: oidcclient.StepGrant, Fault: oidcclient.FaultProvider, Status: 200, Reason: reason}
}
