// Command mutation takes the refusals out of the packages that decide what is
// believed, one at a time, and fails unless a test notices each.
//
//	go run ./internal/mutation
//
// A refusal is an if or a case whose body ends by returning an error, a refused
// check or false. All of them are made switchable in one compilation; then the
// tests run once for each with that one off: first the corpus alone, then, if it
// notices nothing, all tests of the package. What can't be noticed, because
// another refusal behind it says the same, is listed in survivors.txt with the
// reason; an entry that is no longer true fails too.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
)

//go:embed survivors.txt
var survivors string

// target is a folder whose refusals are taken out, or only those of some of its
// files, and the packages whose tests have to notice.
type target struct {
	folder string
	tests  []string
	files  []string
}

func targets() []target {
	return []target{
		{folder: "internal/strictjson", tests: []string{"internal/strictjson", "idtoken"}},
		{folder: "internal/jose", tests: []string{"internal/jose", "idtoken"}},
		{folder: "internal/jwx", tests: []string{"internal/jwx", "idtoken", "assertion"}},
		{folder: "internal/certchain", tests: []string{"internal/certchain", "idtoken", "assertion"}},
		{folder: "idtoken", tests: []string{"idtoken"}},
		{folder: "assertion", tests: []string{"assertion"}, files: []string{"signer.go", "request.go"}},
		{folder: "internal/fetch", tests: []string{"internal/fetch", "oidcclient"}},
		{folder: "internal/challenge", tests: []string{"internal/challenge"}},
		{folder: "internal/jwe", tests: []string{"internal/jwe"}},
		{folder: "oidcclient/federation", tests: []string{"oidcclient/federation"}},
		{folder: "oidcclient/grants", tests: []string{"oidcclient/grants"}},
		{folder: "oidcclient", tests: []string{"oidcclient"}, files: []string{
			"askedclaims.go", "complete.go", "decrypt.go", "dpop.go", "jarm.go", "refresh.go", "responsetype.go", "seal.go", "userinfo.go",
		}},
	}
}

func main() {
	log.SetFlags(0)
	only := flag.String("only", "", "the one folder to test")
	workers := flag.Int("workers", 2, "test processes at once")
	flag.Parse()
	if err := run(*only, *workers); err != nil {
		log.Fatal(err)
	}
}

func run(only string, workers int) error {
	scratch, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	known, err := readSurvivors(survivors)
	if err != nil {
		return err
	}
	var wrong []string
	for _, target := range targets() {
		if only != "" && target.folder != only {
			continue
		}
		found, err := sitesIn(target.folder, target.files)
		if err != nil {
			return err
		}
		suites, err := compile(target, found, scratch)
		if err != nil {
			return err
		}
		outcomes, err := try(suites, found, workers)
		if err != nil {
			return err
		}
		wrong = append(wrong, report(target.folder, found, outcomes, known)...)
	}
	if only == "" {
		for _, id := range known.unused() {
			wrong = append(wrong, id+": is listed as a survivor and is none")
		}
	}
	if len(wrong) > 0 {
		return errors.New("\nnobody notices:\n" + strings.Join(wrong, "\n"))
	}
	return nil
}

// report prints the counts of a target and returns what nobody noticed.
func report(name string, sites []site, outcomes []outcome, known *list) (wrong []string) {
	counts := map[outcome]int{}
	for i, s := range sites {
		switch {
		case outcomes[i] != unnoticed:
		case known.has(s.id):
			outcomes[i] = excused
		default:
			wrong = append(wrong, fmt.Sprintf("%s:%d: %s (%s)", s.file, s.line, s.text, s.id))
		}
		counts[outcomes[i]]++
	}
	fmt.Printf("%s: %d refusals, %d noticed by the corpus, %d by other tests, %d behind another\n",
		name, len(sites), counts[byCorpus], counts[byTests], counts[excused])
	return wrong
}

// list is what survivors.txt says.
type list struct{ ids, used []string }

// readSurvivors reads lines of an id, a tab and a reason.
func readSurvivors(text string) (*list, error) {
	l := &list{}
	for line := range strings.Lines(text) {
		id, reason, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if id == "" || strings.HasPrefix(id, "#") {
			continue
		}
		if !ok || reason == "" {
			return nil, fmt.Errorf("survivors.txt: %s has no reason", id)
		}
		l.ids = append(l.ids, id)
	}
	return l, nil
}

func (l *list) has(id string) bool {
	if !slices.Contains(l.ids, id) {
		return false
	}
	l.used = append(l.used, id)
	return true
}

func (l *list) unused() (ids []string) {
	for _, id := range l.ids {
		if !slices.Contains(l.used, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
