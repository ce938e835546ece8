package main

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// storingTakes is how long a replica may need to store an answer while the
	// store is there, on a machine that has a lot to do.
	storingTakes = time.Second
	// mendingTakes is how much longer it may need after a cut: it pauses between
	// attempts, and has to connect.
	mendingTakes = time.Second
)

// A process is one life of a replica.
type process struct {
	replica int
	life    int64
}

// A ledger is what happened, seen from outside of the replicas. Its methods may be
// called concurrently.
type ledger struct {
	mu      sync.Mutex // guards what follows
	tokens  map[[sha256.Size]byte]*token
	grants  map[string]*grant // the latest of each subject
	deaths  map[process]time.Time
	cuts    []cut
	figures figures
}

// figures are counted at the provider.
type figures struct {
	codes     int // authorization codes that were exchanged
	refreshes int // requests with a refresh token
	refused   int // those of them that were refused
	reused    int // those with a token that had been sent before
	unknown   int // those with a token that nobody was given
}

// A grant is what all refresh tokens of a login have in common.
type grant struct {
	subject, sid string
	reused       []*token
}

// A token is a refresh token.
type token struct {
	grant *grant
	uses  []use
}

// A use is a request with a refresh token.
type use struct {
	by       process
	asked    time.Time
	answered time.Time // zero while it is not
	refused  bool
}

// A cut is a time in which the store can't be reached; to is zero while it lasts.
type cut struct{ from, to time.Time }

// A loss says how an answer was lost with the process that had asked.
type loss struct {
	answered bool          // it was killed after the provider had answered
	cutOff   bool          // and could not reach the store when it was killed
	left     time.Duration // the time for which it could reach the store in between
}

// A double is a refresh token that was sent by two although the first was alive to
// store the answer.
type double struct {
	subject       string
	first, second process
}

func newLedger() *ledger {
	return &ledger{tokens: map[[sha256.Size]byte]*token{}, grants: map[string]*grant{}, deaths: map[process]time.Time{}}
}

// began notes the first refresh token of a login.
func (l *ledger) began(subject, sid, refresh string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := &grant{subject: subject, sid: sid}
	l.figures.codes++
	l.grants[subject] = g
	l.tokens[sha256.Sum256([]byte(refresh))] = &token{grant: g}
}

// used notes that a process has sent a refresh token. What it returns tells
// answered which request is meant.
func (l *ledger) used(refresh string, by process, at time.Time) (ticket int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.refreshes++
	t := l.tokens[sha256.Sum256([]byte(refresh))]
	if t == nil {
		l.figures.unknown++
		return 0
	}
	if len(t.uses) > 0 {
		l.figures.reused++
		t.grant.reused = append(t.grant.reused, t)
	}
	t.uses = append(t.uses, use{by: by, asked: at})
	return len(t.uses) - 1
}

// answered notes what the provider gave for a refresh token; next is "" where it
// refused.
func (l *ledger) answered(refresh string, ticket int, next string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if next == "" {
		l.figures.refused++
	}
	t := l.tokens[sha256.Sum256([]byte(refresh))]
	if t == nil {
		return
	}
	t.uses[ticket].answered, t.uses[ticket].refused = at, next == ""
	if next != "" {
		l.tokens[sha256.Sum256([]byte(next))] = &token{grant: t.grant}
	}
}

// died notes when a process was gone.
func (l *ledger) died(p process, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaths[p] = at
}

// storeCut and storeMended note a time without the store.
func (l *ledger) storeCut(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cuts = append(l.cuts, cut{from: at})
}

func (l *ledger) storeMended(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cuts[len(l.cuts)-1].to = at
}

// explained reports whether a person's session was lost because the answer to a
// refresh was: nobody but the process that asked had it, and that was killed
// before it could have stored it.
func (l *ledger) explained(subject string) (how loss, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.grants[subject]; g != nil {
		for _, t := range g.reused {
			if how, ok := l.answerLost(t); ok {
				return how, true
			}
		}
	}
	return loss{}, false
}

// answerLost reports whether a token was sent again only after the process that had
// sent it first was gone, and the answer with it.
func (l *ledger) answerLost(t *token) (how loss, ok bool) {
	first, again := t.uses[0], t.uses[1]
	death, dead := l.deaths[first.by]
	switch {
	case !dead || first.refused || again.asked.Before(death):
		return loss{}, false
	case first.answered.IsZero() || death.Before(first.answered):
		return loss{}, true
	}
	without, cutOff := l.without(first.answered, death)
	how = loss{answered: true, cutOff: cutOff, left: death.Sub(first.answered) - without}
	if without > 0 {
		return how, how.left <= storingTakes+mendingTakes
	}
	return how, how.left <= storingTakes
}

// without returns how long the store was cut off between two times, and whether it
// was in the end.
func (l *ledger) without(from, to time.Time) (sum time.Duration, inTheEnd bool) {
	for _, c := range l.cuts {
		begin, end := c.from, c.to
		if begin.Before(from) {
			begin = from
		}
		if end.IsZero() || end.After(to) {
			end = to
			inTheEnd = inTheEnd || c.from.Before(to)
		}
		sum += max(0, end.Sub(begin))
	}
	return sum, inTheEnd
}

// doubleUses returns the refresh tokens that were sent again although who had sent
// them before could have stored the answer. A token that was refused is dead, and
// sending it again harms nobody.
func (l *ledger) doubleUses() []double {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []double
	for _, t := range l.tokens {
		if len(t.uses) < 2 || t.uses[0].refused {
			continue
		}
		if _, ok := l.answerLost(t); !ok {
			all = append(all, double{t.grant.subject, t.uses[0].by, t.uses[1].by})
		}
	}
	slices.SortFunc(all, func(a, b double) int { return strings.Compare(a.subject, b.subject) })
	return all
}

// counted returns the figures so far.
func (l *ledger) counted() figures {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.figures
}

// sid returns the provider's name of a person's login.
func (l *ledger) sid(subject string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.grants[subject]; g != nil {
		return g.sid
	}
	return ""
}
