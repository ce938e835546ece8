package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// maxNamed is how many persons an error names.
const maxNamed = 10

// A report is what happened, in figures.
type report struct {
	store      string
	replicas   int
	sessions   int
	rounds     int             // that were asked for
	refreshed  int             // rounds of refreshes from several places at once
	waited     []time.Duration // for each answer of each place, the shortest first
	kills      int64
	ownEnds    int64
	cuts       int64
	passedOver int64
	badGateway int64
	again      int64 // requests that were made again
	provider   figures
	lost       int
	explained  losses
	unsaved    []string // lost, and not explained
	wrong      []string
	failed     []string // with anything else
	doubles    []double
	logouts    *logouts
	storm      error
	took       time.Duration
}

// losses counts the sessions that nobody could have saved.
type losses struct {
	waiting int           // the replica was killed before the provider answered
	storing int           // it was killed before it had stored the answer
	longest time.Duration // time in which those could have stored it
	cutOff  int           // it was killed while the store was cut off
}

func (l *losses) add(how loss) {
	switch {
	case how.cutOff:
		l.cutOff++
	case how.answered:
		l.storing++
		l.longest = max(l.longest, how.left)
	default:
		l.waiting++
	}
}

// report sums up.
func (s *scene) report(crowd []*person, ended *logouts, took time.Duration) *report {
	r := &report{
		store: s.options.store, replicas: s.options.replicas, sessions: len(crowd), rounds: len(crowd) * s.options.refreshes,
		kills: s.mishaps.kills.Load(), ownEnds: s.mishaps.ownEnds.Load(), cuts: s.mishaps.cuts.Load(),
		passedOver: s.balance.passedOver.Load(), badGateway: s.balance.failed.Load(),
		provider: s.ledger.counted(), doubles: s.ledger.doubleUses(), logouts: ended, storm: s.mishaps.failure(), took: took,
	}
	for _, p := range crowd {
		r.refreshed += p.refreshed
		r.waited = append(r.waited, p.waited...)
		r.again += p.again.Load()
		switch {
		case p.err == nil:
		case errors.Is(p.err, errWrong):
			r.wrong = append(r.wrong, p.subject)
		case !errors.Is(p.err, errLost):
			r.failed = append(r.failed, p.subject+": "+p.err.Error())
		default:
			r.lost++
			if how, ok := s.ledger.explained(p.subject); ok {
				r.explained.add(how)
			} else {
				r.unsaved = append(r.unsaved, p.subject)
			}
		}
	}
	slices.Sort(r.waited)
	return r
}

// wait returns how long a part of the answers to refreshes took at most.
func (r *report) wait(part float64) time.Duration {
	if len(r.waited) == 0 {
		return 0
	}
	return r.waited[int(part*float64(len(r.waited)-1))]
}

// write prints the figures.
func (r *report) write(w io.Writer) {
	line := func(name, format string, values ...any) {
		fmt.Fprintf(w, "%-28s %s\n", name, fmt.Sprintf(format, values...))
	}
	line("store", "%s, %d replicas", r.store, r.replicas)
	line("sessions", "%d", r.sessions)
	line("refreshes", "%d of %d, from %d places at once: %d answers", r.refreshed, r.rounds, places, len(r.waited))
	line("token requests", "%d with a code, %d with a refresh token, %d of those refused", r.provider.codes, r.provider.refreshes, r.provider.refused)
	line("kills", "%d, and %d replicas ended by themselves", r.kills, r.ownEnds)
	line("cuts of the store", "%d", r.cuts)
	line("requests in between", "%d connections refused, %d answers of 502, %d requests made again", r.passedOver, r.badGateway, r.again)
	line("wait for a refresh", "half %.0f ms, 99 in 100 %.0f ms, longest %.1f s",
		r.wait(0.5).Seconds()*1000, r.wait(0.99).Seconds()*1000, r.wait(1).Seconds())
	line("refresh tokens sent again", "%d, %d of them by somebody while the first was alive", r.provider.reused, len(r.doubles))
	line("persons shown somebody else", "%d", len(r.wrong))
	e := r.explained
	line("sessions lost", "%d, %d of them with an answer that died with the replica:", r.lost, e.waiting+e.storing+e.cutOff)
	line("  killed before the answer", "%d", e.waiting)
	line("  before storing it", "%d, the store could be reached for at most %.1f ms", e.storing, e.longest.Seconds()*1000)
	line("  while the store was cut", "%d", e.cutOff)
	if l := r.logouts; l != nil {
		line("logouts", "%d, of which %d stayed; the slowest took %d ms on all replicas", l.sent, len(l.stayed), l.slowest.Milliseconds())
		line("sessions that live on", "%d, and %d ended with the others", l.living, len(l.vanished))
	}
	line("time", "%.0f s", r.took.Seconds())
}

// verdict says what must not have happened.
func (r *report) verdict() error {
	errs := []error{r.storm}
	names := func(what string, who []string) {
		if len(who) > 0 {
			errs = append(errs, fmt.Errorf("%s: %d: %s", what, len(who), strings.Join(who[:min(len(who), maxNamed)], ", ")))
		}
	}
	names("sessions lost that could have been saved", r.unsaved)
	names("persons who were shown somebody else", r.wrong)
	names("persons who could not go on", r.failed)
	var doubles []string
	for _, d := range r.doubles {
		doubles = append(doubles, fmt.Sprintf("%s (replica %d, life %d, and then replica %d, life %d)",
			d.subject, d.first.replica, d.first.life, d.second.replica, d.second.life))
	}
	names("refresh tokens that were sent twice", doubles)
	if r.provider.unknown > 0 {
		errs = append(errs, fmt.Errorf("%d refresh tokens were sent that nobody was given", r.provider.unknown))
	}
	if l := r.logouts; l != nil {
		names("sessions that outlived their logout", l.stayed)
		names("sessions that ended with others", l.vanished)
		names("persons of whom it is not known", l.failed)
		if l.slowest > logoutWithin {
			errs = append(errs, fmt.Errorf("a logout took %v to be true everywhere", l.slowest))
		}
	}
	return errors.Join(errs...)
}
