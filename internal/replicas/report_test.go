package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerdict(t *testing.T) {
	assert.NoError(t, (&report{lost: 3, explained: losses{waiting: 3}, logouts: &logouts{sent: 1, slowest: logoutWithin}}).verdict())
	for want, r := range map[string]*report{
		"could have been saved: 1: anna":  {unsaved: []string{"anna"}},
		"shown somebody else: 2: anna, b": {wrong: []string{"anna", "b"}},
		"could not go on: 1: anna: oops":  {failed: []string{"anna: oops"}},
		"sent twice: 1: anna (replica 1, life 2, and then replica 3, life 4)": {
			doubles: []double{{"anna", process{1, 2}, process{3, 4}}}},
		"1 refresh tokens were sent that nobody was given": {provider: figures{unknown: 1}},
		"broke":                         {storm: errors.New("broke")},
		"outlived their logout: 1: a":   {logouts: &logouts{stayed: []string{"a"}}},
		"ended with others: 1: a":       {logouts: &logouts{vanished: []string{"a"}}},
		"it is not known: 1: a: oops":   {logouts: &logouts{failed: []string{"a: oops"}}},
		"took 1.001s to be true":        {logouts: &logouts{slowest: 1001 * time.Millisecond}},
		"somebody else: 11: a, a, a, a": {wrong: []string{"a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "named not any more"}},
	} {
		err := r.verdict()
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "named not any more")
	}
}

func TestReportSortsPersons(t *testing.T) {
	s := &scene{options: &options{store: "redis", replicas: 2, refreshes: 5}, balance: newRoundRobin(nil), ledger: newLedger()}
	s.ledger.began("unlucky", "sid", "one")
	s.ledger.used("one", process{0, 1}, at(0))
	s.ledger.died(process{0, 1}, at(1))
	s.ledger.used("one", process{1, 1}, at(2))
	var crowd []*person
	for subject, err := range map[string]error{
		"fine": nil, "unlucky": errLost, "victim": errLost, "stranger": errWrong, "stuck": errors.New("status 500"),
	} {
		crowd = append(crowd, &person{browser: &browser{subject: subject}, err: err, refreshed: 3, waited: []time.Duration{2 * time.Second, time.Second, 3 * time.Millisecond}})
	}
	r := s.report(crowd, nil, time.Minute)
	assert.Equal(t, []string{"victim"}, r.unsaved)
	assert.Equal(t, []string{"stranger"}, r.wrong)
	assert.Equal(t, []string{"stuck: status 500"}, r.failed)
	assert.Equal(t, losses{waiting: 1}, r.explained)
	assert.Equal(t, []int{2, 15, 25, 15}, []int{r.lost, r.refreshed, r.rounds, len(r.waited)})
	assert.Empty(t, r.doubles)
	var out bytes.Buffer
	r.write(&out)
	assert.Regexp(t, `sessions lost +2, 1 of them with an answer that died`, out.String())
	assert.Contains(t, out.String(), "half 1000 ms, 99 in 100 2000 ms, longest 2.0 s")
	assert.Zero(t, (&report{}).wait(1))
}

func TestLosses(t *testing.T) {
	var l losses
	l.add(loss{})
	for _, left := range []time.Duration{3, 9, 4} {
		l.add(loss{answered: true, left: left})
	}
	l.add(loss{answered: true, cutOff: true, left: 100})
	l.add(loss{answered: true, cutOff: true})
	assert.Equal(t, losses{waiting: 1, storing: 3, longest: 9, cutOff: 2}, l)
}

func TestBrowserJudges(t *testing.T) {
	var answers []func(w http.ResponseWriter)
	status := func(code int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		next := answers[0]
		answers = answers[1:]
		next(w)
	}))
	defer server.Close()
	for _, c := range []struct {
		answers []func(http.ResponseWriter)
		want    string
		again   int64
	}{
		{[]func(http.ResponseWriter){status(200, `{"subject":"anna"}`)}, "", 0},
		{[]func(http.ResponseWriter){status(200, `{"subject":"bob"}`)}, errWrong.Error(), 0},
		{[]func(http.ResponseWriter){status(200, `{}`)}, errWrong.Error(), 0},
		{[]func(http.ResponseWriter){status(200, `x`)}, "no JSON", 0},
		{[]func(http.ResponseWriter){status(401, `{}`)}, errLost.Error(), 0},
		{[]func(http.ResponseWriter){status(500, `{}`)}, "status 500", 0},
		{[]func(http.ResponseWriter){status(503, ``), status(502, ``), status(200, `{"subject":"anna"}`)}, "", 2},
		{[]func(http.ResponseWriter){func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, status(401, ``)}, errLost.Error(), 1},
	} {
		b, err := newBrowser(server.URL, 0, "anna", server.Client().Transport)
		require.NoError(t, err)
		b.pause, answers = time.Millisecond, c.answers
		err = b.ask(t.Context(), http.MethodPost, "/refresh")
		if c.want == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, c.want)
		}
		assert.Equal(t, c.again, b.again.Load())
		assert.Empty(t, answers)
	}

	b, err := newBrowser(server.URL, 0, "anna", server.Client().Transport)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	answers = []func(http.ResponseWriter){func(w http.ResponseWriter) {
		cancel()
		status(503, "")(w)
	}}
	assert.ErrorIs(t, b.ask(ctx, http.MethodGet, "/session"), context.Canceled)
}

func TestWorst(t *testing.T) {
	other := errors.New("status 500")
	for _, c := range []struct {
		errs []error
		want error
	}{
		{[]error{nil, nil}, nil},
		{[]error{nil, other}, other},
		{[]error{other, errLost, nil}, errLost},
		{[]error{errLost, other, errWrong}, errWrong},
	} {
		assert.Equal(t, c.want, worst(c.errs))
	}
}
