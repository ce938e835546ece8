package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// checkTests fails where a test that is named, as "folder TestName", does not
// exist. root is the repository's.
func checkTests(root string) error {
	for _, class := range classes() {
		for _, named := range class.tests {
			folder, name, _ := strings.Cut(named, " ")
			if err := hasTest(filepath.Join(root, folder), name); err != nil {
				return fmt.Errorf("class %s: %w", class.number, err)
			}
		}
	}
	return nil
}

func hasTest(folder, name string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return nil
		}
	}
	return fmt.Errorf("%s has no %s", folder, name)
}
