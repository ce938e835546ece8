package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/clientconfig"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// TestMain is the application as well: the tests start their own program as
// replicas.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-config" {
		if err := application(); err != nil {
			_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// application serves logins and nothing else, with the sessions in memory.
func application() error {
	config := flag.String("config", "", "")
	addr := flag.String("addr", "", "")
	flag.Parse()
	file, err := clientconfig.ReadFile(*config)
	if err != nil {
		return err
	}
	clients, err := file.New(nil)
	if err != nil {
		return err
	}
	login, err := weblogin.New(weblogin.Config{Clients: clients, BaseURL: file.BaseURL})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", login)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: *addr, Handler: mux, ReadHeaderTimeout: time.Second}
	return server.ListenAndServe()
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{
		"-webapp", os.Args[0], "-store", "none", "-sessions", "6", "-refreshes", "3", "-spread", "100ms", "-logout", "-logs", t.TempDir(),
	}, &out, io.Discard)
	require.NoError(t, err)
	for _, want := range []string{
		`sessions +6\n`, `refreshes +18 of 18, from 3 places at once: 54 answers`, `token requests +6 with a code, \d+ with a refresh token, 0 of`,
		`sessions lost +0,`, `logouts +3, of which 0 stayed`, `sessions that live on +3, and 0 ended`, `persons shown somebody else +0`,
	} {
		assert.Regexp(t, want, out.String())
	}
}

func TestRunEndsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, run(ctx, []string{"-webapp", os.Args[0], "-store", "none"}, io.Discard, io.Discard), context.Canceled)
	var out bytes.Buffer
	err := run(t.Context(), []string{"-webapp", os.Args[0], "-store", "none", "-sessions", "2", "-spread", "1m", "-timeout", "1500ms"}, &out, io.Discard)
	assert.ErrorContains(t, err, "-timeout is over")
	assert.ErrorContains(t, err, "persons who could not go on: 2: person-0000: -timeout is over, person-0001")
	assert.Contains(t, out.String(), "of 40, from 3 places")
}

func TestRunWithABadApplication(t *testing.T) {
	err := run(t.Context(), []string{"-webapp", "/bin/false", "-store", "none"}, io.Discard, io.Discard)
	assert.ErrorContains(t, err, "replica 0: process ended by itself")
	err = run(t.Context(), []string{"-webapp", t.TempDir() + "/missing", "-store", "none"}, io.Discard, io.Discard)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestParse(t *testing.T) {
	for want, args := range map[string][]string{
		"-webapp is missing":        {},
		`"more" is not a flag`:      {"-webapp", "x", "more"},
		"-store is not":             {"-webapp", "x", "-store", "mysql"},
		"have to be 1 or more":      {"-webapp", "x", "-sessions", "0"},
		"-spread is negative":       {"-webapp", "x", "-spread", "-1s"},
		"flag provided but not def": {"-x"},
	} {
		_, err := parse(args, io.Discard)
		assert.ErrorContains(t, err, want)
	}
	o, err := parse([]string{"-webapp", "x", "-store", "none"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, 1, o.replicas)
	assert.True(t, len(o.webapp) > 1 && o.webapp[0] == '/', "not looked for in PATH")
}
