package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// againAfter is the pause before a request is made again, on average: everybody's
// is another, as those of people are.
const againAfter = 400 * time.Millisecond

var (
	errLost  = errors.New("logged out")
	errWrong = errors.New("shown somebody else")
)

// A jar keeps Secure cookies for loopback over plain http, as browsers do.
type jar struct{ *cookiejar.Jar }

func (j jar) SetCookies(u *url.URL, cookies []*http.Cookie) { j.Jar.SetCookies(secured(u), cookies) }
func (j jar) Cookies(u *url.URL) []*http.Cookie             { return j.Jar.Cookies(secured(u)) }

func secured(u *url.URL) *url.URL {
	copied := *u
	copied.Scheme = "https"
	return &copied
}

// A browser is a person's.
type browser struct {
	base    string // of the application
	number  int    // of the person on the provider's page
	subject string
	client  *http.Client
	pause   time.Duration // before a request is made again, on average
	again   atomic.Int64  // requests that had to be made again
}

func newBrowser(base string, number int, subject string, transport http.RoundTripper) (*browser, error) {
	cookies, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{base: base, number: number, subject: subject, pause: againAfter, client: &http.Client{Jar: jar{cookies}, Transport: transport}}, nil
}

// answer is a status and a body that was read to its end.
type answer struct {
	status int
	body   []byte
	url    *url.URL // of what was asked last
}

// send makes one request, and follows redirects.
func (b *browser) send(ctx context.Context, method, target string, form url.Values, host string) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Host = host
	response, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return &answer{response.StatusCode, body, response.Request.URL}, errors.Join(err, response.Body.Close())
}

// until makes a request until the application can answer it, and judges who it
// takes the browser's person for.
func (b *browser) until(ctx context.Context, request func() (*answer, error)) error {
	for {
		a, err := request()
		if err == nil && !later(a.status) {
			return b.judge(a)
		}
		b.again.Add(1)
		if !sleep(ctx, b.pause/2+rand.N(b.pause)) {
			return context.Cause(ctx)
		}
	}
}

// ask asks the application for the person's session.
func (b *browser) ask(ctx context.Context, method, path string) error {
	return b.until(ctx, func() (*answer, error) { return b.send(ctx, method, b.base+path, nil, "") })
}

// later reports whether a status asks to try again.
func later(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusBadGateway
}

// judge says what an answer means that shows a session.
func (b *browser) judge(a *answer) error {
	switch a.status {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return errLost
	default:
		return fmt.Errorf("status %d", a.status)
	}
	var shown struct{ Subject string }
	if err := json.Unmarshal(a.body, &shown); err != nil {
		return errors.New("answer is no JSON")
	}
	if shown.Subject != b.subject {
		return errWrong
	}
	return nil
}

// login logs the person in, from the start again where an outage was in between.
func (b *browser) login(ctx context.Context) error {
	return b.until(ctx, func() (*answer, error) { return b.throughProvider(ctx) })
}

// throughProvider begins a login, chooses the person on the provider's page, and
// returns what the application shows in the end.
func (b *browser) throughProvider(ctx context.Context) (*answer, error) {
	a, err := b.send(ctx, http.MethodGet, b.base+"/login/op?return_to=/session", nil, "")
	if err != nil || a.status != http.StatusOK {
		return a, err
	}
	action, login := field(a.body, `<form method="post" action="([^"]*)"`), field(a.body, `name="login" value="([^"]*)"`)
	if action == "" || login == "" {
		return nil, errors.New("provider shows no page to log in")
	}
	target, err := a.url.Parse(action)
	if err != nil {
		return nil, err
	}
	return b.send(ctx, http.MethodPost, target.String(), url.Values{"login": {login}, "person": {strconv.Itoa(b.number)}}, "")
}

func field(page []byte, pattern string) string {
	if match := regexp.MustCompile(pattern).FindSubmatch(page); match != nil {
		return string(match[1])
	}
	return ""
}

// at asks one replica, past the round robin, whether the person is logged in.
func (b *browser) at(ctx context.Context, r *replica) error {
	target := "http://" + r.addr + "/session"
	base, err := url.Parse(b.base)
	if err != nil {
		return err
	}
	return b.until(ctx, func() (*answer, error) { return b.send(ctx, http.MethodGet, target, nil, base.Host) })
}
