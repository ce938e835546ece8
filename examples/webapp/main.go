// Command webapp is a web application in which people log in: the library and a
// page. Everything about the protocol is in package weblogin; what is here is
// what an application has anyway.
//
//	go run ./examples/webapp
//	go run ./examples/webapp -config FILE -addr 127.0.0.1:8080
//	go run ./examples/webapp -config FILE -store redis://127.0.0.1:6379/0 -keys FILE
//
// Without -config it starts a provider of each kind beside itself, on loopback,
// in which anybody can be anybody. With it, the providers are those of the file;
// see package clientconfig for its format. With -store any number of these may run
// side by side, and a login that begins at one ends at another.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "webapp:", err)
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out, logs io.Writer) error {
	flags := flag.NewFlagSet("webapp", flag.ContinueOnError)
	flags.SetOutput(logs)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	config := flags.String("config", "", "JSON `file` with the providers; without it, embedded ones are started")
	target := flags.String("store", "", "`URL` of the store of sessions, redis:// or postgres://; without it, they are in memory")
	keys := flags.String("keys", "", "`file` of sealing keys, 32 bytes in base64 or hex a line; the first seals, all open")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag", flags.Arg(0))
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	log := slog.New(slog.NewTextHandler(logs, nil))
	places, err := open(*config, "http://"+reachable(listener.Addr()), log)
	if err != nil {
		return err
	}
	defer places.close()
	store, err := openStore(ctx, *target, *keys)
	defer store.close()
	if err != nil {
		return err
	}
	app, err := newApp(places, store, log)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Open", places.baseURL)
	return errors.Join(serve(ctx, listener, app), app.finish())
}

// reachable is the address for a browser on this machine.
func reachable(addr net.Addr) string {
	text := addr.String()
	for _, unspecified := range []string{"0.0.0.0:", "[::]:"} {
		if port, ok := strings.CutPrefix(text, unspecified); ok {
			return "127.0.0.1:" + port
		}
	}
	return text
}

// stopTimeout is how long the program takes to end.
const stopTimeout = 10 * time.Second

// serve answers requests until ctx ends, and then those that have begun.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // a login waits for the provider
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
