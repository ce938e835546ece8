// Package corpus has what an attacker could send, one case per file: ID tokens,
// logout tokens, signed userinfo, key sets, metadata, callbacks, and what a
// browser keeps for us. Each file says at which check its input must fail, or
// that it must be believed. The files are made by the program in generate, which
// shares no code with what is tested.
//
// A file has lines of "name: value", an empty line, and then the input exactly
// as it is sent:
//
//	expect: nonce
//	class: T24
//	about: the nonce of another login
//	nonce: the-nonce
//
//	eyJhbGciOi…
//
// expect is the name of a check, or "ok". class is the class of mistake the case
// belongs to: a number from SECURITY-TESTS.md. about is one sentence for people.
// encoding, where it is there, is base64: the input is not text. repeat is a
// number and a text: the first such text in the input stands for that many of
// it. What other names mean depends on the kind; a name may be there several
// times.
package corpus

import (
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed all:testdata
var files embed.FS

// Files holds the corpus: a folder per kind, and keys, with the keys that the
// cases were made with.
func Files() fs.FS {
	root, err := fs.Sub(files, "testdata")
	if err != nil {
		// The name above is valid.
		return files
	}
	return root
}

// A Kind says what the files of one folder may contain.
type Kind struct {
	// Name is the folder's.
	Name string
	// Expect are the checks that cases may name, beside "ok".
	Expect []string
	// Fields are the names that cases may have, beside the common ones.
	Fields []string
}

// A Case is one input and what must become of it.
type Case struct {
	// Name is the file's, without extension.
	Name string
	// Expect is "ok" or the check at which the input must fail.
	Expect string
	// Class is the class of mistake, T01 to T60.
	Class string
	// About says what the input is.
	About string
	// Fields are the values of all other names.
	Fields map[string][]string
	// Input is what is sent.
	Input string
}

// Field returns the first value of a name, or "".
func (c Case) Field(name string) string {
	return first(c.Fields[name])
}

// Load reads all cases of a kind. That there is none is an error, and so is
// whatever the kind does not know: a case that is not understood tests nothing.
func (k Kind) Load(from fs.FS) ([]Case, error) {
	names, err := fs.Glob(from, k.Name+"/*.txt")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("corpus: no case of %s", k.Name)
	}
	cases := make([]Case, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		c, err := k.parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("corpus: %s: %w", name, err)
		}
		c.Name = strings.TrimSuffix(path.Base(name), ".txt")
		cases = append(cases, c)
	}
	return cases, nil
}

func (k Kind) parse(text string) (Case, error) {
	head, input, ok := strings.Cut(text, "\n\n")
	if !ok {
		return Case{}, fmt.Errorf("no empty line before the input")
	}
	c := Case{Fields: map[string][]string{}, Input: input}
	common := map[string][]string{}
	for line := range strings.SplitSeq(head, "\n") {
		name, value, ok := strings.Cut(line, ": ")
		switch {
		case !ok || value == "":
			return Case{}, fmt.Errorf("line %q has no name or no value", line)
		case slices.Contains(k.Fields, name):
			c.Fields[name] = append(c.Fields[name], value)
		case !slices.Contains([]string{"expect", "class", "about", "encoding", "repeat"}, name):
			return Case{}, fmt.Errorf("name %q is not known", name)
		case len(common[name]) > 0 && name != "repeat":
			return Case{}, fmt.Errorf("%s is there twice", name)
		default:
			common[name] = append(common[name], value)
		}
	}
	c.Expect, c.Class, c.About = first(common["expect"]), first(common["class"]), first(common["about"])
	switch {
	case c.Expect != "ok" && !slices.Contains(k.Expect, c.Expect):
		return Case{}, fmt.Errorf("expectation %q is not known", c.Expect)
	case !regexp.MustCompile(`^T[0-6][0-9]$`).MatchString(c.Class) || c.About == "":
		return Case{}, fmt.Errorf("class or about is missing")
	}
	return c, c.decode(first(common["encoding"]), common["repeat"])
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// decode makes the input from its text.
func (c *Case) decode(encoding string, repeats []string) error {
	switch encoding {
	case "":
	case "base64":
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.Input))
		if err != nil {
			return err
		}
		c.Input = string(decoded)
	default:
		return fmt.Errorf("encoding %q is not known", encoding)
	}
	for _, repeat := range repeats {
		count, text, _ := strings.Cut(repeat, " ")
		n, err := strconv.Atoi(count)
		if err != nil || n < 2 || n*len(text) > maxInput || !strings.Contains(c.Input, text) {
			return fmt.Errorf("repeat %q is no number and text of the input", repeat)
		}
		c.Input = strings.Replace(c.Input, text, strings.Repeat(text, n), 1)
	}
	return nil
}

// maxInput bounds what a case makes of a repetition, in bytes.
const maxInput = 64 << 20
