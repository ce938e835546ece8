package engines

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// StartPostgres starts a PostgreSQL of its own, with a fresh cluster of databases
// below dir, which must exist, and waits until it answers. It trusts whoever
// connects, keeps nothing safe from a crash of the machine, and runs as an
// unprivileged user where this process is root, since PostgreSQL refuses root.
func StartPostgres(dir string) (*Engine, error) {
	initdb, err := find("initdb", "postgresql", "/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return nil, err
	}
	program, err := find("postgres", "postgresql", "/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	owned, attributes, err := ownedDir(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(owned, "data")
	prepare := exec.Command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	prepare.Dir, prepare.SysProcAttr = owned, attributes
	if output, err := prepare.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("engines: initdb: %w: %s", err, output)
	}
	command := exec.Command(program, "-D", data, "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB")
	command.Dir, command.SysProcAttr = owned, attributes
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	// SIGINT is its fast shutdown, which disconnects clients; SIGTERM would wait
	// for them.
	return start(command, syscall.SIGINT, url, filepath.Join(dir, "postgres.log"), func() error { return pingPostgres(port) })
}

// ownedDir makes a directory for PostgreSQL, and says as whom to run it.
func ownedDir(dir string) (string, *syscall.SysProcAttr, error) {
	owned, err := filepath.Abs(filepath.Join(dir, "postgres"))
	if err != nil {
		return "", nil, fmt.Errorf("engines: %w", err)
	}
	if err := os.Mkdir(owned, 0o700); err != nil {
		return "", nil, fmt.Errorf("engines: %w", err)
	}
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() != 0 {
		return owned, attributes, nil
	}
	uid, gid, err := unprivileged()
	if err != nil {
		return "", nil, err
	}
	if err := os.Chown(owned, uid, gid); err != nil {
		return "", nil, fmt.Errorf("engines: %w", err)
	}
	// It has to pass through the directories above, and those that this process
	// made for a while are closed to others.
	for above := filepath.Dir(owned); strings.HasPrefix(above, filepath.Clean(os.TempDir())+"/"); above = filepath.Dir(above) {
		info, err := os.Stat(above)
		if err != nil {
			return "", nil, fmt.Errorf("engines: %w", err)
		}
		if err := os.Chmod(above, info.Mode().Perm()|0o001); err != nil {
			return "", nil, fmt.Errorf("engines: %w", err)
		}
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return owned, attributes, nil
}

// unprivileged returns the ids of the user that Debian's package makes, or of
// the one that owns nothing.
func unprivileged() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(found.Uid)
		gid, err2 := strconv.Atoi(found.Gid)
		return uid, gid, errors.Join(err1, err2)
	}
	return 0, 0, errors.New("engines: PostgreSQL can't run as root, and there is neither a user postgres nor nobody")
}

// pingPostgres starts a session, as the protocol's version 3 has it, and looks
// for the AuthenticationOk that answers it.
func pingPostgres(port int) error {
	conn, err := dial(port)
	if err != nil {
		return err
	}
	defer conn.Close()
	const parameters = "user\x00postgres\x00database\x00postgres\x00\x00"
	message := binary.BigEndian.AppendUint32(nil, uint32(8+len(parameters)))
	message = binary.BigEndian.AppendUint32(message, 3<<16)
	if _, err := conn.Write(append(message, parameters...)); err != nil {
		return err
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if answer[0] != 'R' {
		return fmt.Errorf("refused to start a session (%q)", answer)
	}
	return nil
}
