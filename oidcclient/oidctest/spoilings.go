package oidctest

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	hugeBody  = 64 << 20
	slowPause = 20 * time.Millisecond
)

type answerFunc func(p *Provider, w http.ResponseWriter, r *http.Request, honest *heldAnswer)

// spoiling is a way to answer wrongly that does not depend on the endpoint.
type spoiling struct {
	name, about, class string
	outage             bool
	status             int
	answer             answerFunc
}

func spoilings() []spoiling {
	return []spoiling{
		{name: "html", class: "T53", about: "is a web page with status 200", answer: html200},
		{name: "content type", class: "T53", about: "is right but of type text/plain", answer: contentType},
		{name: "broken JSON", class: "T53", about: "ends in the middle of the JSON", answer: brokenJSON},
		{name: "64 MiB", class: "T53", about: "is JSON followed by 64 MiB of spaces", answer: huge},
		{name: "gzip bomb", class: "T53", about: "is 64 MiB, compressed", answer: gzipBomb},
		{name: "slow", class: "T53", about: "comes a byte at a time and never ends", outage: true, answer: slow},
		{name: "truncated", class: "T53", about: "is shorter than its Content-Length", outage: true, answer: truncated},
		{name: "closed", class: "T53", about: "is a connection that is closed", outage: true, answer: closed},
		{name: "redirect", class: "T51", about: "is a redirect to another host, over http", answer: redirect},
		status(http.StatusUnauthorized, false), status(http.StatusInternalServerError, false), status(http.StatusServiceUnavailable, true),
	}
}

func status(code int, outage bool) spoiling {
	name := strconv.Itoa(code)
	return spoiling{
		name: name, class: "T53", about: "has status " + name + " and Retry-After", outage: outage, status: code,
		answer: func(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
			honest.header.Set("Retry-After", "1")
			honest.header.Set("Content-Type", "text/plain")
			honest.status = code
			honest.send(w, []byte("not now"))
		},
	}
}

func html200(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	honest.header.Set("Content-Type", "text/html")
	honest.send(w, []byte("<!doctype html><title>Welcome to the hotel's network</title>"))
}

func contentType(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	honest.header.Set("Content-Type", "text/plain")
	honest.send(w, honest.body.Bytes())
}

func brokenJSON(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	honest.send(w, honest.body.Bytes()[:honest.body.Len()/2])
}

func huge(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	honest.send(w, honest.body.Bytes())
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	for range hugeBody / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func gzipBomb(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	honest.header.Set("Content-Encoding", "gzip")
	honest.send(w, nil)
	packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return
	}
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	for range hugeBody / len(chunk) {
		if _, err := packed.Write(chunk); err != nil {
			return
		}
	}
	_ = packed.Close() // the client may be gone
}

func slow(_ *Provider, w http.ResponseWriter, r *http.Request, honest *heldAnswer) {
	honest.send(w, []byte("{"))
	tick := time.NewTicker(slowPause)
	defer tick.Stop()
	for {
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
	}
}

func truncated(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	w.Header().Set("Content-Type", honest.header.Get("Content-Type"))
	w.Header().Set("Content-Length", strconv.Itoa(honest.body.Len()+1))
	_, _ = w.Write(honest.body.Bytes()) // the client may be gone
}

func closed(_ *Provider, w http.ResponseWriter, _ *http.Request, _ *heldAnswer) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close() // nothing to say to it
	}
}

func redirect(p *Provider, w http.ResponseWriter, r *http.Request, _ *heldAnswer) {
	target := strings.Replace(p.base, "127.0.0.1", "localhost", 1) + Elsewhere
	http.Redirect(w, r, target, http.StatusTemporaryRedirect)
}
