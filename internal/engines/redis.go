package engines

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// StartRedis starts Debian's redis-server with its data below dir, which must
// exist, and waits until it answers. Nothing of its data is written to disk, and
// it evicts nothing. Settings are further ones of its command line.
func StartRedis(dir string, settings ...string) (*Engine, error) {
	program, err := find("redis-server", "redis-server")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command := exec.Command(program, append([]string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--maxmemory-policy", "noeviction",
	}, settings...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	url := fmt.Sprintf("redis://127.0.0.1:%d/0", port)
	return start(command, syscall.SIGTERM, url, filepath.Join(dir, "redis.log"), func() error { return pingRedis(port) })
}

func pingRedis(port int) error {
	conn, err := dial(port)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return err
	}
	const want = "+PONG\r\n"
	answer := make([]byte, len(want))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if string(answer) != want {
		return fmt.Errorf("answered %q", answer)
	}
	return nil
}
