package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// places is from how many places at once a person refreshes.
	places = 3
	// atOnce is how many log in at the same time.
	atOnce = 8
)

// A person is one who has logged in, and what became of that.
type person struct {
	*browser
	refreshed int             // rounds in which all places got an answer
	waited    []time.Duration // for each answer of each place
	err       error           // why it ended early: errLost, errWrong, or what else
}

// logins logs everybody in.
func (s *scene) logins(ctx context.Context) ([]*person, error) {
	var crowd []*person
	for i, who := range s.provider.Persons() {
		b, err := newBrowser(s.base, i, who.Subject, s.browsers)
		if err != nil {
			return nil, err
		}
		crowd = append(crowd, &person{browser: b})
	}
	together(crowd, func(p *person) { p.err = p.login(ctx) })
	for _, p := range crowd {
		if p.err != nil {
			return nil, fmt.Errorf("login of %s: %w", p.subject, p.err)
		}
	}
	return crowd, nil
}

// refreshAll lets everybody refresh as often as asked. done counts the rounds.
func (s *scene) refreshAll(ctx context.Context, crowd []*person, done *atomic.Int64) {
	var wait sync.WaitGroup
	for _, p := range crowd {
		wait.Go(func() {
			p.refreshAgain(ctx, s.options.refreshes, s.options.spread, done)
			done.Add(int64(s.options.refreshes - p.refreshed))
		})
	}
	wait.Wait()
}

// refreshAgain refreshes the person's session until it is lost, with pauses unless
// an earlier refresh took too long.
func (p *person) refreshAgain(ctx context.Context, times int, spread time.Duration, done *atomic.Int64) {
	began, pause := time.Now(), spread/time.Duration(times)
	for i := range times {
		if !sleep(ctx, time.Until(began.Add(time.Duration(i)*pause+rand.N(pause+1)))) {
			p.err = context.Cause(ctx)
			return
		}
		if p.err = p.refresh(ctx); p.err == nil {
			p.err = p.ask(ctx, "GET", "/session")
		}
		if p.err != nil {
			return
		}
		p.refreshed++
		done.Add(1)
	}
}

// refresh asks for new tokens from all places at once.
func (p *person) refresh(ctx context.Context) error {
	var errs [places]error
	var waited [places]time.Duration
	var wait sync.WaitGroup
	for i := range places {
		wait.Go(func() {
			began := time.Now()
			errs[i] = p.ask(ctx, "POST", "/refresh")
			waited[i] = time.Since(began)
		})
	}
	wait.Wait()
	for i, err := range errs {
		if err == nil {
			p.waited = append(p.waited, waited[i])
		}
	}
	return worst(errs[:])
}

// together does something for a few persons at a time.
func together(crowd []*person, do func(*person)) {
	turns := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for _, p := range crowd {
		wait.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			do(p)
		})
	}
	wait.Wait()
}

// worst returns the error that says most: somebody else's session is worse than
// none, and that worse than what may pass.
func worst(errs []error) error {
	for _, bad := range []error{errWrong, errLost} {
		if slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, bad) }) {
			return bad
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
