package repotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/rely-go/rely"

// root is the repository, seen from this package's folder, where tests run.
const root = "../.."

// listed is what `go list -json` says about a package.
type listed struct {
	ImportPath   string
	Name         string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

// rel returns the package's path below the module; "" for other modules'.
func rel(importPath string) string {
	path, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	return path
}

var list = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New(stderr.String())
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, watch(packages)
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
})

// watch looks at every folder and file, so that `go test` sees that a result is
// out of date: what the go command read for us it doesn't count.
func watch(packages []listed) error {
	top, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	for _, p := range packages {
		for dir := p.Dir; len(dir) >= len(top); dir = filepath.Dir(dir) {
			if _, err := os.ReadDir(dir); err != nil {
				return err
			}
		}
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			if _, err := os.Stat(filepath.Join(p.Dir, name)); err != nil {
				return err
			}
		}
	}
	_, err = os.Stat(filepath.Join(root, "go.mod"))
	return err
}

func packages(t *testing.T) []listed {
	t.Helper()
	found, err := list()
	require.NoError(t, err)
	require.Greater(t, len(found), 10)
	return found
}

// markdown returns the documents in the repository's root.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	texts := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		texts[filepath.Base(name)] = string(text)
	}
	return texts
}
