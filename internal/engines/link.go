package engines

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
)

// A Link passes connections on to an engine, and can be cut: then the ones there
// are end, and new ones end at once, as if the engine were gone. Its methods may
// be called concurrently.
type Link struct {
	// URL is the engine's, by way of the link.
	URL string

	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex // guards what follows
	cut   bool
	conns map[net.Conn]struct{}
}

// NewLink opens a link to the engine at a URL. Close it.
func NewLink(engine string) (*Link, error) {
	parsed, err := url.Parse(engine)
	if err != nil {
		return nil, fmt.Errorf("engines: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("engines: %w", err)
	}
	l := &Link{listener: listener, target: parsed.Host, conns: map[net.Conn]struct{}{}}
	parsed.Host = listener.Addr().String()
	l.URL = parsed.String()
	l.running.Go(l.accept)
	return l, nil
}

// Cut ends all connections, and lets none live until Mend.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for conn := range l.conns {
		conn.Close()
	}
}

// Mend ends a cut.
func (l *Link) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}

// Close cuts the link for good, and waits until nothing of it runs.
func (l *Link) Close() error {
	err := l.listener.Close()
	l.Cut()
	l.running.Wait()
	return err
}

func (l *Link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		if l.add(conn) {
			l.running.Go(func() { l.pass(conn) })
		}
	}
}

// pass joins a connection with one of the engine's until either ends.
func (l *Link) pass(conn net.Conn) {
	defer l.drop(conn)
	engine, err := net.Dial("tcp", l.target)
	if err != nil || !l.add(engine) {
		return
	}
	l.running.Go(func() {
		defer l.drop(engine)
		defer conn.Close()
		_, _ = io.Copy(conn, engine) // both ends are closed, whatever ended it
	})
	defer engine.Close()
	_, _ = io.Copy(engine, conn)
}

// add reports whether a connection may live, and closes it where not.
func (l *Link) add(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		conn.Close()
		return false
	}
	l.conns[conn] = struct{}{}
	return true
}

func (l *Link) drop(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn.Close()
	delete(l.conns, conn)
}
