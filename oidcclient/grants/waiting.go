package grants

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

const (
	usualInterval = 5 * time.Second // RFC 8628 §3.2, OpenID Connect CIBA Core §7.3
	slowDown      = 5 * time.Second // RFC 8628 §3.5
	maxInterval   = time.Minute     // while the provider is down

	// askingTakes bounds a question together with the judging of what comes of it, which
	// go on when whoever asked has gone. Each request in it has a bound of its own: this
	// is more than all of them, because a code is good for one question.
	askingTakes = 2 * time.Minute
)

var (
	// ErrPending: the person has not decided yet, or it is too early to ask.
	ErrPending = errors.New("grants: person has not decided yet")
	// ErrExpired: the time for it is over. Begin again.
	ErrExpired = errors.New("grants: time for the login is over")
	// ErrCompleted: an earlier call has returned the session.
	ErrCompleted = errors.New("grants: login was completed")
)

// A Waiting is a login that a person completes somewhere else. It is safe for
// concurrent use, and asks the provider no more often than it wants.
type Waiting struct {
	// ask makes the token request. What is in that is behind a function because package
	// fmt, where it can't ask a Waiting for its text, shows what is in it.
	ask       func(context.Context) (*oidcclient.Session, error)
	expiresAt time.Time
	now       func() time.Time
	woken     chan struct{} // has something in it when Wait need not wait any longer

	mu       sync.Mutex // guards what follows
	interval time.Duration
	next     time.Time           // when the provider may be asked again
	asking   bool                // it is being asked now
	notified bool                // the person decided while it was asked
	done     error               // why there is nothing to wait for any more
	session  *oidcclient.Session // that nobody has taken yet
}

// String shows until when it waits, and nothing of the login.
func (w *Waiting) String() string {
	return "grants.Waiting{" + w.expiresAt.UTC().Format(time.RFC3339) + " [redacted]}"
}

// Format keeps codes out of every verb of package fmt.
func (w *Waiting) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.String()) }

// LogValue keeps codes out of logs.
func (w *Waiting) LogValue() slog.Value { return slog.StringValue(w.String()) }

// ExpiresAt is when the person's time is over.
func (w *Waiting) ExpiresAt() time.Time { return w.expiresAt }

// Interval is how long the provider wants between two questions.
func (w *Waiting) Interval() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.interval
}

// Poll asks whether the person has decided. The error is [ErrPending] while not,
// and without asking where it is too early or somebody else is asking; [ErrExpired];
// [ErrCompleted]; or the client's: what is Retryable may be asked again, and everything
// else is the end of it, which every later call returns too. Where ctx ends meanwhile,
// what the provider answers is kept for the next call, because it answers once.
func (w *Waiting) Poll(ctx context.Context) (*oidcclient.Session, error) {
	if ctx.Err() != nil {
		return nil, canceled(ctx)
	}
	if session, err := w.turn(); session != nil || err != nil {
		return session, err
	}
	answered := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askingTakes)
		defer cancel()
		answered <- w.settle(w.question(ctx))
	}()
	select {
	case err := <-answered:
		if err != nil {
			return nil, err
		}
		return w.turn()
	case <-ctx.Done():
		return nil, canceled(ctx)
	}
}

// question asks, and makes an error of a panic of the transport's, say: here nobody
// would recover from it.
func (w *Waiting) question(ctx context.Context) (_ *oidcclient.Session, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("grants: panic of type %T", p)
		}
	}()
	return w.ask(ctx)
}

// canceled is the error of a caller whose context has ended.
func canceled(ctx context.Context) error {
	return &oidcclient.Error{Step: oidcclient.StepGrant, Fault: oidcclient.FaultCanceled, Reason: "ended by the caller", Err: ctx.Err()}
}

// settle keeps what came of a question, and lets the next one ask.
func (w *Waiting) settle(session *oidcclient.Session, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asking, w.next = false, w.now().Add(w.interval)
	if w.notified {
		w.next, w.notified = time.Time{}, false
	}
	if err != nil {
		return w.judge(err)
	}
	w.session, w.done = session, ErrCompleted
	return nil
}

// turn lets one ask, and says to all others why they may not: because there is a session
// already, or an error.
func (w *Waiting) turn() (*oidcclient.Session, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	switch {
	case w.session != nil:
		session := w.session
		w.session = nil
		return session, nil
	case w.done != nil:
		return nil, w.done
	case w.asking:
		return nil, ErrPending
	case !now.Before(w.expiresAt):
		w.done = ErrExpired
		return nil, w.done
	case now.Before(w.next):
		return nil, ErrPending
	}
	w.asking = true
	return nil, nil
}

// judge decides whether an error is the end.
func (w *Waiting) judge(err error) error {
	var e *oidcclient.Error
	if !errors.As(err, &e) {
		w.done = err
		return err
	}
	if e.Fault == oidcclient.FaultCanceled { // nobody cancels it: it took longer than it may
		late := *e
		late.Fault, late.Reason = oidcclient.FaultOutage, "provider takes too long"
		e, err = &late, &late
	}
	switch {
	case e.Code == "authorization_pending":
		return ErrPending
	case e.Code == "slow_down":
		w.interval += slowDown
		w.next = w.now().Add(w.interval)
		return ErrPending
	case e.Code == "expired_token":
		w.done = ErrExpired
		return w.done
	case e.Retryable() && (e.Step == oidcclient.StepGrant || e.Step == oidcclient.StepDiscover):
		// Less often while it is down (RFC 8628 §3.5).
		w.interval = min(2*w.interval, max(maxInterval, w.interval))
		w.next = w.now().Add(w.interval)
		return err
	}
	// Also when the tokens came and could not be judged: they are used up.
	w.done = err
	return err
}

// Wait polls until the person has decided, the time is over or ctx ends; in ping mode a
// notification wakes it. An outage of the provider is waited out.
func (w *Waiting) Wait(ctx context.Context) (*oidcclient.Session, error) {
	for {
		session, err := w.Poll(ctx)
		var e *oidcclient.Error
		again := errors.Is(err, ErrPending) || errors.As(err, &e) && e.Retryable() && w.ended() == nil
		if !again {
			return session, err
		}
		w.pause(ctx)
	}
}

// mayAskNow lets the provider be asked at once: it said that the person has decided.
func (w *Waiting) mayAskNow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next, w.notified = time.Time{}, w.asking
	select {
	case w.woken <- struct{}{}:
	default: // Wait has not seen the last one yet
	}
}

func (w *Waiting) ended() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

func (w *Waiting) untilNext() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asking { // by somebody else
		return w.interval
	}
	return max(0, min(w.next.Sub(w.now()), w.expiresAt.Sub(w.now())))
}

// pause waits until the provider may be asked again, or ctx ends.
func (w *Waiting) pause(ctx context.Context) {
	timer := time.NewTimer(w.untilNext())
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-w.woken:
	}
}
