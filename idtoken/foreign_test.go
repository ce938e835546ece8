package idtoken

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/rely-go/rely/internal/jose"
)

// refusing is a foreign key source that confirms nothing.
type refusing struct{}

func (refusing) VerifySignature(context.Context, string) ([]byte, error) {
	return nil, errors.New("failed to verify signature of eyJhbGciOi…")
}

// unreachable is a foreign key source behind a network that is down.
type unreachable struct{}

func (unreachable) VerifySignature(context.Context, string) ([]byte, error) {
	return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
}

// confirming is a foreign key source that confirms everything.
type confirming struct{}

func (confirming) VerifySignature(_ context.Context, jwt string) ([]byte, error) {
	return jose.Decode(strings.Split(jwt, ".")[1])
}
