package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// outcome says who noticed that a refusal is off.
type outcome int

const (
	unnoticed outcome = iota
	byCorpus
	byTests
	excused // by survivors.txt
)

// variable names the refusal that is off, by its number.
const variable = "RELY_MUTANT"

// switchboard is added to each folder.
const switchboard = `
package %s

import "os"

var mutantOff = os.Getenv("` + variable + `")

func mutantOn(number string) bool { return mutantOff != number }
`

// suite is a compiled test binary with the folder it runs in.
type suite struct {
	folder, binary string
	limit          time.Duration // for longer than that its tests take for ever
	own            bool          // its package is the one whose refusals are taken out
}

// Bounds of a suite's limit, which is a multiple of what it takes with everything in
// place.
const (
	leastLimit, mostLimit = 10 * time.Second, 50 * time.Second
	slower                = 4
)

// compile builds the tests of a target with switchable refusals.
func compile(target target, sites []site, scratch string) ([]suite, error) {
	overlay, err := rewrite(target.folder, sites, scratch)
	if err != nil {
		return nil, err
	}
	var suites []suite
	for _, tests := range target.tests {
		binary := filepath.Join(scratch, strings.ReplaceAll(target.folder+"-"+tests, "/", "_")+".test")
		build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+tests)
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("tests of %s: %w", tests, err)
		}
		suites = append(suites, suite{tests, binary, mostLimit, tests == target.folder})
	}
	return suites, nil
}

// rewrite writes the folder's files with switches, and says so in an overlay.
func rewrite(folder string, sites []site, scratch string) (overlay string, err error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	replaced := map[string]string{}
	name := func(file string) string { return filepath.Join(scratch, strings.ReplaceAll(file, "/", "_")) }
	for number := len(sites) - 1; number >= 0; number-- { // backwards, so that offsets stay true
		s := sites[number]
		original := filepath.Join(root, s.file)
		if _, ok := replaced[original]; !ok {
			replaced[original] = name(s.file)
			if err := copyFile(s.file, name(s.file)); err != nil {
				return "", err
			}
		}
		if err := insert(name(s.file), s, number); err != nil {
			return "", err
		}
	}
	added := filepath.Join(folder, "switchboard.go")
	replaced[filepath.Join(root, added)] = name(added)
	if err := os.WriteFile(name(added), fmt.Appendf(nil, switchboard, filepath.Base(folder)), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay = name(folder) + ".json"
	return overlay, os.WriteFile(overlay, text, 0o600)
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// insert makes one condition switchable. The sites of a file come from its end.
func insert(name string, s site, number int) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text = slices.Insert(text, s.end, ')')
	text = slices.Insert(text, s.begin, []byte(`mutantOn("`+strconv.Itoa(number)+`") && (`)...)
	return os.WriteFile(name, text, 0o600)
}

// try runs the tests once for each refusal, after once with all of them on.
func try(suites []suite, sites []site, workers int) ([]outcome, error) {
	for i, s := range suites {
		began := time.Now()
		if noticed, err := s.fails(".", "", "none"); err != nil || noticed {
			return nil, errors.Join(fmt.Errorf("%s: tests fail with everything in place", s.folder), err)
		}
		suites[i].limit = min(mostLimit, max(leastLimit, slower*time.Since(began)))
	}
	outcomes := make([]outcome, len(sites))
	failures := make([]error, len(sites))
	numbers := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for number := range numbers {
				outcomes[number], failures[number] = tryOne(suites, strconv.Itoa(number))
			}
		})
	}
	for number := range sites {
		numbers <- number
	}
	close(numbers)
	group.Wait()
	return outcomes, errors.Join(failures...)
}

func tryOne(suites []suite, number string) (outcome, error) {
	for _, attempt := range []struct {
		run, skip string
		then      outcome
	}{{corpusTests, "", byCorpus}, {".", corpusTests + "|" + longTests, byTests}, {longTests, "", byTests}} {
		for _, s := range suites {
			if attempt.run == longTests && !s.own {
				continue
			}
			noticed, err := s.fails(attempt.run, attempt.skip, number)
			if err != nil || noticed {
				return attempt.then, err
			}
		}
	}
	return unnoticed, nil
}

// The tests that go first, and those that take longer than all others: they run where
// those don't notice, and for the refusals of their own package.
const (
	corpusTests = "^TestCorpus"
	longTests   = "^TestMangled"
)

// fails reports whether the tests fail, panic or take for ever.
func (s suite) fails(run, skip, number string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit+10*time.Second)
	defer cancel()
	test := exec.CommandContext(ctx, s.binary, "-test.run", run, "-test.skip", skip, "-test.failfast", "-test.timeout", s.limit.String())
	test.Dir = s.folder
	test.Env = append(os.Environ(), variable+"="+number)
	err := test.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) || ctx.Err() != nil {
		return true, nil
	}
	return false, err
}
