package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// named is a replica that says its name and what it was asked.
func named(t *testing.T, name string) (addr string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		fmt.Fprintf(w, "%s %s %s", name, r.Host, body)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// broken accepts connections, reads a request, sends what it is told, and closes.
func broken(t *testing.T, sends string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, sends)
			assert.NoError(t, conn.Close())
		}
	}()
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		<-ended
	})
	return listener.Addr().String()
}

func post(b *roundRobin) (status int, body string) {
	r := httptest.NewRequest(http.MethodPost, "http://app.example/refresh", strings.NewReader("hello"))
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func dead(t *testing.T) string {
	t.Helper()
	addr, err := freeAddr()
	require.NoError(t, err)
	return addr
}

func TestRoundRobinTakesTurns(t *testing.T) {
	b := newRoundRobin([]string{named(t, "a"), named(t, "b"), named(t, "c")})
	seen := map[string]int{}
	for range 6 {
		status, body := post(b)
		require.Equal(t, http.StatusOK, status)
		seen[body]++
	}
	assert.Equal(t, map[string]int{"a app.example hello": 2, "b app.example hello": 2, "c app.example hello": 2}, seen)
	assert.Zero(t, b.passedOver.Load())
}

func TestRoundRobinPassesOverTheDead(t *testing.T) {
	b := newRoundRobin([]string{dead(t), named(t, "b"), dead(t)})
	for range 6 {
		status, body := post(b)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "b app.example hello", body)
	}
	assert.Positive(t, b.passedOver.Load())
	assert.Zero(t, b.failed.Load())
}

func TestRoundRobinSendsNothingTwice(t *testing.T) {
	for name, sends := range map[string]string{
		"no answer":   "",
		"half a head": "HTTP/1.1 200 OK\r\nContent-Le",
		"half a body": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			b := newRoundRobin([]string{named(t, "a"), broken(t, sends)})
			var statuses []int
			for range 4 {
				status, body := post(b)
				statuses = append(statuses, status)
				assert.NotContains(t, body, "half")
			}
			assert.ElementsMatch(t, []int{200, 200, 502, 502}, statuses)
			assert.EqualValues(t, 2, b.failed.Load())
			assert.Zero(t, b.passedOver.Load())
		})
	}
}

func TestRoundRobinWithoutAnybody(t *testing.T) {
	b := newRoundRobin([]string{dead(t), dead(t)})
	status, _ := post(b)
	assert.Equal(t, http.StatusBadGateway, status)
	assert.EqualValues(t, 2, b.passedOver.Load())
}
