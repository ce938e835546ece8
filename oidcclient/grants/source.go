package grants

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/rely-go/rely/oidcclient"
)

// A Source gives the application's own access token (see [ClientCredentials]) for
// an [oidcclient.Transport], as long as it is good, and gets another one ahead of its
// end. However many ask at once, the provider is asked once. It is safe for concurrent
// use; don't copy it.
type Source struct {
	// Client asks for the token. Required.
	Client *oidcclient.Client
	// Want is what the token is for.
	Want Request
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time

	asking singleflight.Group

	mu       sync.Mutex // guards what follows
	token    *oauth2.Token
	received time.Time
}

func (s *Source) now() time.Time {
	if s.Clock == nil {
		return time.Now()
	}
	return s.Clock()
}

// AccessToken implements [oidcclient.AccessTokens].
func (s *Source) AccessToken(ctx context.Context, refused string) (oidcclient.AccessToken, error) {
	if s.Client == nil {
		return oidcclient.AccessToken{}, errors.New("grants: Source has no Client")
	}
	if token := s.known(refused); token != nil {
		return s.Client.AccessToken(token), nil
	}
	result := s.asking.DoChan("", func() (any, error) { return s.ask(context.WithoutCancel(ctx), refused) })
	select {
	case r := <-result:
		if r.Err != nil {
			return oidcclient.AccessToken{}, r.Err
		}
		return s.Client.AccessToken(r.Val.(*oauth2.Token)), nil
	case <-ctx.Done():
		return oidcclient.AccessToken{}, ctx.Err()
	}
}

// known returns the token where it can be used.
func (s *Source) known(refused string) *oauth2.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == nil || s.token.AccessToken == refused {
		return nil
	}
	if end := s.token.Expiry; !end.IsZero() && !s.now().Before(end.Add(-min(renewAhead, end.Sub(s.received)/4))) {
		return nil
	}
	return s.token
}

// renewAhead is the longest time before its end at which a token is renewed.
const renewAhead = 10 * time.Second

func (s *Source) ask(ctx context.Context, refused string) (*oauth2.Token, error) {
	if token := s.known(refused); token != nil {
		return token, nil // somebody else was faster
	}
	received := s.now()
	token, err := ClientCredentials(ctx, s.Client, s.Want)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.received = token, received
	return token, nil
}
