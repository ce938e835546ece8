package engines

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	startTimeout = 20 * time.Second
	stopTimeout  = 10 * time.Second
	askInterval  = 10 * time.Millisecond
)

// An Engine is a running engine that this process started. Its methods may be
// called concurrently.
type Engine struct {
	// URL is what a client connects to: redis://… or postgres://…
	URL string

	process *os.Process
	soft    os.Signal     // asks it to end without waiting for its clients
	ended   chan struct{} // closed once the process is gone
}

// Stop ends the engine and waits until it is gone. Stopping it again does
// nothing.
func (e *Engine) Stop() error {
	if err := e.process.Signal(e.soft); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("engines: stop: %w", err)
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-e.ended:
		return nil
	case <-timer.C:
	}
	if err := e.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("engines: kill: %w", err)
	}
	<-e.ended
	return fmt.Errorf("engines: process %d did not end within %v and was killed", e.process.Pid, stopTimeout)
}

// start runs an engine's command, and waits until answers says that it does.
func start(command *exec.Cmd, soft os.Signal, url, log string, answers func() error) (*Engine, error) {
	output, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("engines: %w", err)
	}
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("engines: %w", err)
	}
	engine := &Engine{URL: url, process: command.Process, soft: soft, ended: make(chan struct{})}
	go func() {
		_ = command.Wait() // that it ended is all there is to know
		close(engine.ended)
	}()
	deadline := time.Now().Add(startTimeout)
	for {
		last := answers()
		if last == nil {
			return engine, nil
		}
		select {
		case <-engine.ended:
			return nil, fmt.Errorf("engines: %s ended at once: %s", filepath.Base(command.Path), tail(log))
		case <-time.After(askInterval):
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("engines: %s does not answer: %w: %s", filepath.Base(command.Path), last, tail(log)), engine.Stop())
		}
	}
}

// tail returns the last lines of a log.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	const enough = 1000
	if len(text) > enough {
		text = text[len(text)-enough:]
	}
	return string(bytes.TrimSpace(text))
}

// find returns the path of an engine's program, which may be outside PATH.
func find(name, debian string, patterns ...string) (string, error) {
	for _, pattern := range patterns {
		// The pattern is a constant, and well-formed.
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("engines: there is no %s on this machine (Debian's package %s has it)", name, debian)
}

// freePort returns a port of loopback that nobody listens on.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("engines: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// dial connects to an engine to ask whether it answers.
func dial(port int) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
