package repotest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The README's program is taken as a reader would copy it, compiled and vetted
// with a test that logs somebody in with it (testdata/readme).
func TestReadmeProgram(t *testing.T) {
	packages(t) // what the program is compiled with
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(markdown(t)["README.md"], -1)
	require.Len(t, blocks, 2, "Go blocks in README.md")
	dir := t.TempDir()
	replace := map[string]string{}
	for i, name := range []string{"app.go", "routes.go"} {
		program := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(program, []byte(blocks[i][1]), 0o600))
		target, err := filepath.Abs(filepath.Join("testdata", "readme", name))
		require.NoError(t, err)
		replace[target] = program
		unformatted, err := exec.Command("gofmt", "-l", program).CombinedOutput()
		require.NoError(t, err, "%s", unformatted)
		assert.Empty(t, string(unformatted), "README.md is not formatted")
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	out, err := exec.Command("go", "test", "-vet=all", "-overlay="+filepath.Join(dir, "overlay.json"), "./testdata/readme").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// What the documents point at is there: links and commands below the root, files
// also in the folder of the client, whose table in ARCHITECTURE.md says so.
func TestDocumentsPointAtSomething(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	command := regexp.MustCompile(`go (?:run|test) \./([a-z/]+)`)
	file := regexp.MustCompile("`((?:[a-z]+/)*[a-z]+\\.go)`")
	there := func(path string) bool {
		_, err := os.Stat(filepath.Join(root, filepath.FromSlash(path)))
		return err == nil
	}
	found := 0
	for name, text := range markdown(t) {
		for _, pattern := range []*regexp.Regexp{link, command, file} {
			for _, match := range pattern.FindAllStringSubmatch(text, -1) {
				found++
				ok := there(match[1]) || pattern == file && there("oidcclient/"+match[1])
				assert.True(t, ok, "%s names %s", name, match[1])
			}
		}
	}
	assert.Greater(t, found, 30)
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"} {
		assert.True(t, there(name), name)
	}
}

// Every package that can be imported is in the README.
func TestReadmeListsThePackages(t *testing.T) {
	readme := markdown(t)["README.md"]
	for _, p := range packages(t) {
		path := rel(p.ImportPath)
		if !under(path, "internal", "examples") {
			assert.True(t, strings.Contains(readme, "\n| `"+path+"` |"), "%s is not in the README's table of packages", path)
		}
	}
}
