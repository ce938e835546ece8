package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// logoutWithin is how long a logout may take to be true on every replica.
const logoutWithin = time.Second

// logouts is what came of the provider's ending half of the sessions.
type logouts struct {
	sent     int           // logout tokens
	slowest  time.Duration // from sending one to the session's end on all replicas
	living   int           // sessions that live on, and still refresh
	stayed   []string      // sessions that should have ended and did not
	vanished []string      // sessions that ended and should not have
	failed   []string      // what could not be found out
}

// logOut lets the provider end every second session that there is, and looks for
// all of them on every replica.
func (s *scene) logOut(ctx context.Context, crowd []*person) *logouts {
	var ending, staying []*person
	for _, p := range crowd {
		switch {
		case p.err != nil:
		case len(ending) <= len(staying):
			ending = append(ending, p)
		default:
			staying = append(staying, p)
		}
	}
	l := &logouts{sent: len(ending)}
	var mu sync.Mutex
	together(ending, func(p *person) {
		took, err := s.endOne(ctx, p)
		mu.Lock()
		defer mu.Unlock()
		l.slowest = max(l.slowest, took)
		l.note(p, err, errStayed, &l.stayed)
	})
	together(staying, func(p *person) {
		err := s.livesOn(ctx, p)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			l.living++
		}
		l.note(p, err, errLost, &l.vanished)
	})
	return l
}

// note puts a person for whom something went wrong into the list for that.
func (l *logouts) note(p *person, err, known error, list *[]string) {
	switch {
	case err == nil:
	case errors.Is(err, known):
		*list = append(*list, p.subject)
	default:
		l.failed = append(l.failed, p.subject+": "+err.Error())
	}
}

var errStayed = errors.New("session did not end")

// endOne ends a person's login at the provider, and returns how long it took until
// no replica knew the session any more.
func (s *scene) endOne(ctx context.Context, p *person) (time.Duration, error) {
	began := time.Now()
	status, err := s.provider.BackChannelLogout(ctx, p.subject, s.ledger.sid(p.subject))
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("logout token was answered with %d", status)
	}
	for _, r := range s.replicas {
		for {
			err := p.at(ctx, r)
			if errors.Is(err, errLost) {
				break
			}
			if err != nil {
				return 0, err
			}
			if time.Since(began) > 2*logoutWithin {
				return 0, errStayed
			}
		}
	}
	return time.Since(began), nil
}

// livesOn reports whether a person is logged in on all replicas and can refresh.
func (s *scene) livesOn(ctx context.Context, p *person) error {
	for _, r := range s.replicas {
		if err := p.at(ctx, r); err != nil {
			return err
		}
	}
	return p.ask(ctx, http.MethodPost, "/refresh")
}
