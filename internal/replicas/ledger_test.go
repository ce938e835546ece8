package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// at is a moment, in milliseconds since everything began.
func at(ms int) time.Time { return time.Unix(1e9, 0).Add(time.Duration(ms) * time.Millisecond) }

func TestLostSessions(t *testing.T) {
	a, b := process{0, 1}, process{1, 1}
	// asks lets a process send a token; next "" is a refusal.
	asks := func(l *ledger, token string, by process, asked int, next string, answered int) {
		l.answered(token, l.used(token, by, at(asked)), next, at(answered))
	}
	again := func(l *ledger) { asks(l, "one", b, 40_000, "", 40_010) }
	for name, c := range map[string]struct {
		happens   func(l *ledger)
		explained bool
		how       loss
		doubles   int
	}{
		"nothing happened": {func(*ledger) {}, false, loss{}, 0},
		"refused at once":  {func(l *ledger) { asks(l, "one", a, 0, "", 10) }, false, loss{}, 0},
		"killed before the answer": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 20)
			l.died(a, at(10))
			again(l)
		}, true, loss{}, 0},
		"killed without any answer": {func(l *ledger) {
			l.used("one", a, at(0))
			l.died(a, at(10))
			again(l)
		}, true, loss{}, 0},
		"killed before storing": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 10)
			l.died(a, at(15))
			again(l)
		}, true, loss{answered: true, left: 5 * time.Millisecond}, 0},
		"killed long after the answer": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 10)
			l.died(a, at(5000))
			again(l)
		}, false, loss{}, 1},
		"killed while the store was away": {func(l *ledger) {
			l.storeCut(at(0))
			asks(l, "one", a, 5, "two", 10)
			l.died(a, at(2000))
			l.storeMended(at(2500))
			again(l)
		}, true, loss{answered: true, cutOff: true}, 0},
		"killed soon after the store came back": {func(l *ledger) {
			l.storeCut(at(0))
			asks(l, "one", a, 5, "two", 10)
			l.storeMended(at(1500))
			l.died(a, at(1500+200))
			again(l)
		}, true, loss{answered: true, left: 200 * time.Millisecond}, 0},
		"killed long after the store came back": {func(l *ledger) {
			l.storeCut(at(0))
			asks(l, "one", a, 5, "two", 10)
			l.storeMended(at(1500))
			l.died(a, at(9000))
			again(l)
		}, false, loss{}, 1},
		"cut off before the answer only": {func(l *ledger) {
			l.storeCut(at(0))
			l.storeMended(at(1000))
			asks(l, "one", a, 9000, "two", 9010)
			l.died(a, at(12_000))
			again(l)
		}, false, loss{}, 1},
		"nobody was killed": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 10)
			again(l)
		}, false, loss{}, 1},
		"another was killed": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 10)
			l.died(b, at(15))
			again(l)
		}, false, loss{}, 1},
		"its next life was killed": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 10)
			l.died(process{0, 2}, at(15))
			again(l)
		}, false, loss{}, 1},
		"sent again while the first was alive": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 10)
			asks(l, "one", b, 20, "", 30)
			l.died(a, at(35))
		}, false, loss{}, 1},
		"sent again after a refusal": {func(l *ledger) {
			asks(l, "one", a, 0, "", 10)
			again(l)
		}, false, loss{}, 0},
		"lost later in the line": {func(l *ledger) {
			asks(l, "one", a, 0, "two", 10)
			asks(l, "two", a, 20, "three", 30)
			l.died(a, at(31))
			asks(l, "two", b, 31_000, "", 31_010)
		}, true, loss{answered: true, left: time.Millisecond}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			l.began("anna", "sid-of-anna", "one")
			l.began("bob", "sid-of-bob", "other")
			c.happens(l)
			how, explained := l.explained("anna")
			assert.Equal(t, c.explained, explained)
			if explained {
				assert.Equal(t, c.how, how)
			}
			assert.Len(t, l.doubleUses(), c.doubles)
			_, explained = l.explained("bob")
			assert.False(t, explained, "what happens to one explains nothing about another")
		})
	}
}

func TestLedgerCounts(t *testing.T) {
	l := newLedger()
	l.began("anna", "first", "one")
	l.began("anna", "second", "two")
	l.answered("two", l.used("two", process{0, 1}, at(0)), "three", at(1))
	l.answered("two", l.used("two", process{1, 1}, at(2)), "", at(3))
	l.answered("made up", l.used("made up", process{1, 1}, at(4)), "", at(5))
	assert.Equal(t, figures{codes: 2, refreshes: 3, refused: 2, reused: 1, unknown: 1}, l.counted())
	assert.Equal(t, []double{{"anna", process{0, 1}, process{1, 1}}}, l.doubleUses())
	assert.Equal(t, "second", l.sid("anna"), "the latest login counts")
	assert.Empty(t, l.sid("bob"))
	_, explained := l.explained("bob")
	assert.False(t, explained)
}

func TestTimeWithoutTheStore(t *testing.T) {
	l := newLedger()
	for _, c := range []struct{ from, to int }{{1000, 2000}, {2500, 3000}, {10_000, 11_000}} {
		l.storeCut(at(c.from))
		l.storeMended(at(c.to))
	}
	for _, c := range []struct {
		from, to, want int
		inTheEnd       bool
	}{
		{0, 500, 0, false}, {0, 1500, 500, true}, {1500, 1600, 100, true}, {2900, 3100, 100, false}, {4000, 9000, 0, false},
		{0, 20_000, 2500, false}, {10_500, 10_600, 100, true}, {11_500, 12_000, 0, false},
	} {
		got, inTheEnd := l.without(at(c.from), at(c.to))
		assert.Equal(t, time.Duration(c.want)*time.Millisecond, got, "%d to %d", c.from, c.to)
		assert.Equal(t, c.inTheEnd, inTheEnd, "%d to %d", c.from, c.to)
	}
	l.storeCut(at(30_000)) // and not mended
	got, inTheEnd := l.without(at(25_000), at(35_000))
	assert.Equal(t, 5*time.Second, got)
	assert.True(t, inTheEnd)
}
