package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 40 * time.Second
	maxAnswer     = 4 << 20 // bytes
)

// A roundRobin hands requests to one replica after the other. It passes over a
// replica that refuses the connection, as nothing has been sent to it then;
// whatever else goes wrong is answered with 502, since the request may have taken
// effect.
type roundRobin struct {
	proxy     *httputil.ReverseProxy
	transport *http.Transport
	addrs     []string
	next      atomic.Uint64

	passedOver atomic.Int64 // connections that were refused
	failed     atomic.Int64 // answers of 502
}

func newRoundRobin(addrs []string) *roundRobin {
	b := &roundRobin{addrs: addrs}
	// A connection for each request: so each goes to the next replica, and none
	// is sent twice because a kept connection turned out to be dead.
	b.transport = &http.Transport{DialContext: b.dial, DisableKeepAlives: true, ResponseHeaderTimeout: answerTimeout}
	b.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "replicas"
			r.Out.Host = r.In.Host
		},
		Transport:      b.transport,
		ModifyResponse: whole,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
			if r.Context().Err() == nil {
				b.failed.Add(1)
			}
			http.Error(w, "replica did not answer", http.StatusBadGateway)
		},
	}
	return b
}

// ServeHTTP passes a request on.
func (b *roundRobin) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.proxy.ServeHTTP(w, r) }

// dial connects to the next replica that lets it.
func (b *roundRobin) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	first := b.next.Add(1)
	var last error
	for i := range b.addrs {
		conn, err := dialer.DialContext(ctx, network, b.addrs[(first+uint64(i))%uint64(len(b.addrs))])
		if err == nil {
			return conn, nil
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		b.passedOver.Add(1)
		last = err
	}
	return nil, last
}

// whole reads an answer to its end before anything of it is passed on, so that
// half an answer becomes a 502.
func whole(answer *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	if len(body) > maxAnswer {
		return errors.New("answer is too large")
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}
