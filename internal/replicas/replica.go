package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	bootTimeout  = 20 * time.Second
	bootInterval = 20 * time.Millisecond
)

var errEnded = errors.New("process ended by itself")

// A replica is one place of the application: a process, and after that was killed
// another one on the same port.
type replica struct {
	number int
	addr   string
	binary string
	args   []string
	output io.WriteCloser
	ledger *ledger

	life  atomic.Int64 // how often it was started
	mu    sync.Mutex   // guards what follows
	child *exec.Cmd
	gone  chan struct{} // closed once child is
}

func (r *replica) process() process { return process{r.number, r.life.Load()} }

// start starts the process, and waits until it serves.
func (r *replica) start(ctx context.Context) error {
	r.mu.Lock()
	child := exec.Command(r.binary, r.args...)
	child.Stdout, child.Stderr = r.output, r.output
	// In a group of its own, so that an interrupt is for this program alone.
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.life.Add(1)
	if err := child.Start(); err != nil {
		r.mu.Unlock()
		return fmt.Errorf("replica %d: %w", r.number, err)
	}
	gone := make(chan struct{})
	r.child, r.gone = child, gone
	r.mu.Unlock()
	go func() {
		_ = child.Wait() // that it ended is all there is to know
		close(gone)
	}()
	return r.serving(ctx, gone)
}

// serving waits until the process answers.
func (r *replica) serving(ctx context.Context, gone <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, errors.New("does not answer"))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		if healthy(ctx, client, "http://"+r.addr+"/healthz") {
			return nil
		}
		select {
		case <-gone:
			return fmt.Errorf("replica %d: %w", r.number, errEnded)
		case <-ctx.Done():
			return fmt.Errorf("replica %d: %w", r.number, context.Cause(ctx))
		case <-time.After(bootInterval):
		}
	}
}

func healthy(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// kill ends the process as a power cut would. It returns errEnded as well when
// the process had ended by itself.
func (r *replica) kill() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.child == nil {
		return nil
	}
	var before error
	select {
	case <-r.gone:
		before = fmt.Errorf("replica %d: %w", r.number, errEnded)
	default:
	}
	if err := r.child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("replica %d: %w", r.number, err)
	}
	<-r.gone
	r.ledger.died(r.process(), time.Now())
	r.child = nil
	return before
}

// close ends the process for good.
func (r *replica) close() error {
	err := r.kill()
	if r.output != nil {
		err = errors.Join(err, r.output.Close())
	}
	return err
}

// freeAddr returns an address of loopback that nobody listens on.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
