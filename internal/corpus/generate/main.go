// Command generate writes the corpus of forged inputs, from the root of the
// module:
//
//	go run ./internal/corpus/generate
//
// It uses the standard library only, so that no mistake of ours is made on both
// sides. Files that exist are left as they are; with -all they are written again,
// and those that nothing makes any more are deleted.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	all := flag.Bool("all", false, "write existing files again, and delete those that nothing makes")
	folder := flag.String("folder", "internal/corpus/testdata", "where the corpus is")
	flag.Parse()
	if err := run(*folder, *all); err != nil {
		log.Fatal(err)
	}
}

// makers lists who makes cases, one function per kind or family of kinds.
func makers() []func(keyring, *collection) {
	return []func(keyring, *collection){
		tokenCases, flowCases,
	}
}

// entry is one case: see package corpus for what the parts mean.
type entry struct {
	name, expect, class, about string
	fields                     []string // "name: value"
	input                      string
	binary                     bool // input is written as base64
}

// collection has the texts of files by their paths.
type collection struct {
	files map[string]string
	kinds []string
	err   error
}

// add takes a case of a kind. Mistakes are kept for the end. Names of files are in
// lower case, because some systems don't tell letters apart.
func (c *collection) add(kind string, e entry) {
	path := kind + "/" + e.class + "-" + strings.ReplaceAll(strings.ToLower(e.name), " ", "-") + ".txt"
	if _, twice := c.files[path]; twice {
		c.err = errors.Join(c.err, fmt.Errorf("%s is there twice", path))
	}
	if !slices.Contains(c.kinds, kind) {
		c.kinds = append(c.kinds, kind)
	}
	c.files[path] = e.text()
}

func collect(folder string) (*collection, error) {
	keys, err := loadKeys(filepath.Join(folder, "keys"))
	if err != nil {
		return nil, err
	}
	c := &collection{files: map[string]string{}}
	for _, make := range makers() {
		make(keys, c)
	}
	return c, c.err
}

func run(folder string, all bool) error {
	c, err := collect(folder)
	if err != nil {
		return err
	}
	for path, text := range c.files {
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if _, err := os.Stat(path); err == nil && !all {
			continue
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if all {
		return c.deleteOthers(folder)
	}
	return nil
}

// deleteOthers deletes cases of the kinds made that nothing makes any more.
func (c *collection) deleteOthers(folder string) error {
	for _, kind := range c.kinds {
		paths, err := filepath.Glob(filepath.Join(folder, kind, "*.txt"))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if _, made := c.files[kind+"/"+filepath.Base(path)]; made {
				continue
			}
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
