package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rely-go/rely/internal/corpus"
)

// found is what was counted for a class.
type found struct {
	forged, good int            // cases of any kind that must fail, that must be believed
	comparable   [2]int         // those that the other libraries can be given: forged, good
	believed     map[string]int // forged ones that a library believed
	refused      map[string]int // good ones that a library refused
}

// notComparable are fields whose meaning only our own configuration knows.
var notComparable = []string{
	"secret", "anchors", "unset", "header-members", "single-audience", "string-dates", "max-skew", "required", "lifetime", "max-lifetime",
	"acr-order", "min-acr", "original", "code", "state", "hashes-required", "trusted-audience", "skew",
}

// tables prints both tables.
func tables(ctx context.Context) (string, error) {
	counted := map[string]*found{}
	var believed []string
	for _, kind := range slices.Concat(corpus.TokenKinds(), corpus.FlowKinds()) {
		cases, err := kind.Load(corpus.Files())
		if err != nil {
			return "", err
		}
		for _, c := range cases {
			f := counted[c.Class]
			if f == nil {
				f = &found{believed: map[string]int{}, refused: map[string]int{}}
				counted[c.Class] = f
			}
			lines, err := f.count(ctx, kind.Name, c)
			if err != nil {
				return "", err
			}
			believed = append(believed, lines...)
		}
	}
	var out strings.Builder
	if err := printClasses(&out, counted); err != nil {
		return "", err
	}
	fmt.Fprintf(&out, "\n## What the others believe\n\nEach forged input of the corpus that one of them takes for good.\n\n| case | what it is | believed by |\n|---|---|---|\n")
	for _, line := range believed {
		out.WriteString(line)
	}
	return out.String(), nil
}

// count tries a case with each library that can be given it.
func (f *found) count(ctx context.Context, kind string, c corpus.Case) (lines []string, err error) {
	good := 0
	if c.Expect == "ok" {
		good = 1
	}
	f.good += good
	f.forged += 1 - good
	setup, input, ok, err := comparable(kind, c)
	if err != nil || !ok {
		return nil, err
	}
	f.comparable[good]++
	var by []string
	for _, p := range peers() {
		switch err := p.try(ctx, setup, input); {
		case good == 1 && err != nil:
			f.refused[p.name]++
		case good == 0 && err == nil:
			f.believed[p.name]++
			by = append(by, p.name)
		}
	}
	if len(by) > 0 {
		lines = append(lines, fmt.Sprintf("| %s | %s | %s |\n", c.Name, strings.ReplaceAll(c.About, "|", "\\|"), strings.Join(by, ", ")))
	}
	return lines, nil
}

// comparable returns what a case gives to any library, if it can be given.
func comparable(kind string, c corpus.Case) (s corpus.Setup, input string, ok bool, err error) {
	if kind != corpus.IDToken().Name && kind != corpus.KeySet().Name || c.Expect == "refused" {
		return s, "", false, nil
	}
	if slices.ContainsFunc(notComparable, func(name string) bool { return len(c.Fields[name]) > 0 }) {
		return s, "", false, nil
	}
	s, err = c.Setup(corpus.Files())
	input = c.Input
	if kind == corpus.KeySet().Name {
		s.Keys, input = []byte(c.Input), s.Token
	}
	// cap has no login without a nonce.
	return s, input, s.Nonce != "" && s.Keys != nil, err
}

// try gives a library one input; a panic is its way of refusing.
func (p peer) try(ctx context.Context, s corpus.Setup, raw string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return p.believe(ctx, s, raw)
}

func printClasses(out *strings.Builder, counted map[string]*found) error {
	fmt.Fprintf(out, "| class | what is tried | cases: forged, good | given to others | go-oidc | zitadel | cap | further tests |\n|---|---|---|---|---|---|---|---|\n")
	for _, class := range classes() {
		f := counted[class.number]
		delete(counted, class.number)
		if f == nil {
			f = &found{}
		}
		if f.forged == 0 && len(class.tests) == 0 {
			return fmt.Errorf("class %s has neither a case nor a test", class.number)
		}
		if f.believed["rely"] > 0 || f.refused["rely"] > 0 {
			return fmt.Errorf("class %s: rely believes %d forged and refuses %d good", class.number, f.believed["rely"], f.refused["rely"])
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |", class.number, class.about, pair(f.forged, f.good), pair(f.comparable[0], f.comparable[1]))
		for _, p := range peers()[1:] {
			fmt.Fprintf(out, " %s |", f.verdict(p.name))
		}
		fmt.Fprintf(out, " %s |\n", strings.Join(class.tests, "<br>"))
	}
	for number := range counted {
		return fmt.Errorf("class %s of the corpus has no line in the table", number)
	}
	return nil
}

func pair(a, b int) string {
	if a+b == 0 {
		return ""
	}
	return fmt.Sprintf("%d, %d", a, b)
}

// verdict says how many forged inputs a library believed, and how many good ones
// it refused.
func (f *found) verdict(name string) string {
	if f.comparable[0]+f.comparable[1] == 0 {
		return ""
	}
	text := fmt.Sprint("believes ", f.believed[name])
	if f.believed[name] > 0 {
		text = "**" + text + "**"
	}
	if f.refused[name] > 0 {
		text += fmt.Sprint(", refuses ", f.refused[name], " good")
	}
	return text
}
