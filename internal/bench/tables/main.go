// Command tables measures and prints the tables of PERFORMANCE.md.
//
//	go run ./tables                  # 120 rounds, some minutes
//	go run ./tables -rounds 20       # a first look
//	go run ./tables -check           # fails where a bound does not hold
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/bench"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 120, "how often each column of a row is measured")
	only := flag.String("only", "", "a regular expression for the tables: time, allocations, forged, attack, heap, size")
	row := flag.String("row", "", "a regular expression for the cases of the table of times")
	check := flag.Bool("check", false, "fail where a bound does not hold")
	flag.Parse()
	broken, err := run(*rounds, *only, *row)
	if err != nil {
		log.Fatal(err)
	}
	if *check && len(broken) > 0 {
		log.Fatalf("not held:\n%s", strings.Join(broken, "\n"))
	}
}

// table prints one or more tables, and returns the bounds that don't hold.
type table struct {
	name  string
	print func(out *bytes.Buffer, rounds int) (broken []string, err error)
}

func run(rounds int, only, row string) (broken []string, err error) {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	rows, err := regexp.Compile(row)
	if err != nil {
		return nil, err
	}
	fmt.Print(machine(rounds))
	cases, end, err := bench.Cases()
	defer end()
	if err != nil {
		return nil, err
	}
	cases = slices.DeleteFunc(cases, func(c bench.Case) bool { return !rows.MatchString(c.Name) })
	tables := []table{
		{"time", func(out *bytes.Buffer, rounds int) ([]string, error) { return times(out, rounds, cases) }},
		{"allocations", func(out *bytes.Buffer, _ int) ([]string, error) { return allocations(out, cases) }},
		{"forged", forged},
		{"attack", attack},
		{"heap", instances},
		{"size", sizes},
	}
	for _, t := range tables {
		if !chosen.MatchString(t.name) {
			continue
		}
		var out bytes.Buffer
		wrong, err := t.print(&out, rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Print(out.String())
		broken = append(broken, wrong...)
	}
	return broken, nil
}

// machine says where and with what was measured.
func machine(rounds int) string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name\t: "); ok {
			model, _, _ = strings.Cut(rest, "\n")
		}
	}
	text := fmt.Sprintf("Measured on %s, %s, %d cores, %s, %d rounds.", time.Now().Format(time.DateOnly), model, runtime.NumCPU(), runtime.Version(), rounds)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text + "\n\n"
	}
	var versions []string
	for _, dep := range info.Deps {
		for _, name := range []string{"coreos/go-oidc", "zitadel/oidc", "hashicorp/cap", "golang-jwt/jwt", "go-jose/go-jose", "lestrrat-go/jwx", "alexedwards/scs", "gorilla/"} {
			if strings.Contains(dep.Path, name) {
				versions = append(versions, name+" "+dep.Version)
			}
		}
	}
	return text + " Others: " + strings.Join(versions, ", ") + ".\n\n"
}

// held writes whether a bound holds, and returns the bound if it does not.
func held(ok bool, what string) (mark string, broken []string) {
	if ok {
		return "yes", nil
	}
	return "**no**", []string{what}
}

var errSize = errors.New("size of the program is not known")

// build links a program as a release is linked, and returns its size.
func build(folder, into string) (int64, error) {
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", into, folder)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return 0, err
	}
	stat, err := os.Stat(into)
	if err != nil {
		return 0, errors.Join(errSize, err)
	}
	return stat.Size(), nil
}
