// Command classes prints the tables of SECURITY-TESTS.md: for each class of
// mistake the cases of the corpus and the tests, and what other libraries do with
// the same input, by giving it to them.
//
//	go run ./classes                      # the tables
//	go run ./classes -check ../../SECURITY-TESTS.md
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	check := flag.String("check", "", "a document that has to contain the tables")
	flag.Parse()
	tables, err := tables(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if *check == "" {
		fmt.Print(tables)
		return
	}
	document, err := os.ReadFile(*check)
	if err != nil {
		log.Fatal(err)
	}
	if err := checkTests(filepath.Dir(*check)); err != nil {
		log.Fatal(err)
	}
	if !strings.Contains(string(document), tables) {
		log.Fatalf("%s does not have the tables that this program prints", *check)
	}
}
