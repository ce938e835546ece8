package engines

import (
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"testing"
)

func TestACutEndsConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	link, err := NewLink("redis://" + listener.Addr().String() + "/0")
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	conn, err := dial(port(t, link.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	engine, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	link.Cut()
	for _, end := range []net.Conn{conn, engine} {
		if _, err := end.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
			t.Errorf("still open after the cut: %v", err)
		} else if err != io.EOF {
			t.Logf("ended with %v", err)
		}
	}
}

func TestAMissingProgramIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := find("redis-server", "redis-server")
	const want = "engines: there is no redis-server on this machine (Debian's package redis-server has it)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := StartRedis(t.TempDir()); err == nil {
		t.Error("started a Redis that is not there")
	}
}

func port(t *testing.T, address string) int {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(parsed.Port())
	if err != nil {
		t.Fatal(err)
	}
	return number
}
