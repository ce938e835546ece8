// Command replicas shows that sessions survive: several replicas of the web
// application over one store, and a provider that rotates refresh tokens and ends
// a login whose token is used twice, while replicas are killed and the store is
// cut off.
//
//	go build -o webapp ./examples/webapp
//	go run ./internal/replicas -webapp webapp -store redis -logout
//
// Many persons log in through a round robin. Each refreshes again and again, from
// several places at once, and checks who the application thinks it is. At the end
// it prints what happened, and fails unless every lost session is one that nobody
// could have saved: the provider had answered, and the replica that asked was
// killed before it could store the answer.
//
// With -store none there is one replica, which keeps its sessions to itself and is
// left in peace.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
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
		fmt.Fprintln(os.Stderr, "replicas:", err)
		stop()
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	webapp    string
	store     string
	logs      string
	sessions  int
	refreshes int
	replicas  int
	logout    bool
	timeout   time.Duration
	spread    time.Duration
}

func parse(args []string, out io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("replicas", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.webapp, "webapp", "", "`binary` of the web application")
	flags.StringVar(&o.store, "store", "redis", "redis, postgres, or none")
	flags.StringVar(&o.logs, "logs", "", "`directory` for the logs of the replicas; without it they are dropped")
	flags.IntVar(&o.sessions, "sessions", 200, "how many persons log in")
	flags.IntVar(&o.refreshes, "refreshes", 20, "how often each refreshes")
	flags.IntVar(&o.replicas, "replicas", 4, "how many replicas serve them")
	flags.BoolVar(&o.logout, "logout", false, "let the provider end half of the sessions afterwards")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "the whole takes no longer")
	flags.DurationVar(&o.spread, "spread", 30*time.Second, "time over which a person's refreshes are spread")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("%q is not a flag", flags.Arg(0))
	case o.webapp == "":
		return nil, errors.New("-webapp is missing")
	case o.store != "redis" && o.store != "postgres" && o.store != "none":
		return nil, errors.New("-store is not redis, postgres or none")
	case o.sessions < 1 || o.refreshes < 1 || o.replicas < 1:
		return nil, errors.New("-sessions, -refreshes and -replicas have to be 1 or more")
	case o.spread < 0:
		return nil, errors.New("-spread is negative")
	case o.store == "none":
		o.replicas = 1
	}
	var err error
	o.webapp, err = filepath.Abs(o.webapp)
	return o, err
}

// run does everything, and fails where a session ended that need not have.
func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, errors.New("-timeout is over"))
	defer cancel()
	began := time.Now()
	say := func(format string, values ...any) {
		fmt.Fprintf(progress, "%5.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, values...))
	}
	s, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	say("%d replicas at %s, sessions in %s", o.replicas, s.base, o.store)
	crowd, err := s.logins(ctx)
	if err != nil {
		return err
	}
	say("%d persons logged in", len(crowd))
	s.storm(ctx, crowd, say)
	var ended *logouts
	if o.logout && ctx.Err() == nil {
		ended = s.logOut(ctx, crowd)
		say("%d logout tokens sent", ended.sent)
	}
	r := s.report(crowd, ended, time.Since(began))
	r.write(out)
	return errors.Join(context.Cause(ctx), r.verdict())
}
