//go:build engines

// What starts an engine has the tag engines: a machine that has Go alone has none.

package engines

import (
	"strings"
	"testing"
)

func TestEnginesStartAnswerAndEnd(t *testing.T) {
	tests := []struct {
		name  string
		start func(dir string) (*Engine, error)
		ping  func(port int) error
	}{
		{"redis", func(dir string) (*Engine, error) { return StartRedis(dir) }, pingRedis},
		{"postgres", StartPostgres, pingPostgres},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			engine, err := test.start(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			link, err := NewLink(engine.URL)
			if err != nil {
				t.Fatal(err)
			}
			for _, address := range []string{engine.URL, link.URL} {
				if err := test.ping(port(t, address)); err != nil {
					t.Errorf("%s does not answer: %v", address, err)
				}
			}
			link.Cut()
			if test.ping(port(t, link.URL)) == nil {
				t.Error("answers through a link that is cut")
			}
			link.Mend()
			if err := test.ping(port(t, link.URL)); err != nil {
				t.Errorf("does not answer through a mended link: %v", err)
			}
			if err := link.Close(); err != nil {
				t.Error(err)
			}
			for range 2 {
				if err := engine.Stop(); err != nil {
					t.Error(err)
				}
			}
			if test.ping(port(t, engine.URL)) == nil {
				t.Error("answers after it was stopped")
			}
		})
	}
}

func TestAnEngineThatEndsAtOnceSaysWhy(t *testing.T) {
	_, err := StartRedis(t.TempDir(), "--no-such-setting", "1")
	if err == nil || !strings.Contains(err.Error(), "no-such-setting") {
		t.Errorf("got %v", err)
	}
}
