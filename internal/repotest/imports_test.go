package repotest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// under reports whether path is one of folders or below one.
func under(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, folder+"/")
	})
}

// own says which packages of the module a package may import, in the order in
// which they build on each other. A package that is not here may not exist: who
// adds one decides about its arrows.
var own = map[string][]string{
	"internal/strictjson":         {},
	"internal/certchain":          {},
	"internal/challenge":          {},
	"internal/fetch":              {},
	"internal/jose":               {},
	"internal/jwe":                {"internal/jose", "internal/strictjson"},
	"internal/jwx":                {"internal/jose", "internal/strictjson"},
	"internal/jwx/jwxtest":        {},
	"internal/conformance":        {},
	"internal/corpus":             {},
	"internal/corpus/generate":    {},
	"internal/engines":            {},
	"internal/mutation":           {},
	"internal/packed":             {},
	"internal/replicas":           {"internal/engines", "oidcclient/oidctest"},
	"internal/repotest":           {},
	"assertion":                   {"internal"},
	"idtoken":                     {"internal"},
	"oidcclient":                  {"assertion", "idtoken", "internal"},
	"oidcclient/federation":       {"assertion", "idtoken", "internal", "oidcclient"},
	"oidcclient/grants":           {"internal", "oidcclient"},
	"oidcclient/profiles":         {"assertion", "idtoken", "oidcclient"},
	"oidcclient/clientconfig":     {"assertion", "idtoken", "internal", "oidcclient", "oidcclient/federation", "oidcclient/profiles"},
	"oidcclient/weblogin":         {"idtoken", "internal", "oidcclient"},
	"oidcclient/store/storetest":  {"oidcclient/weblogin"},
	"oidcclient/oidctest":         {},
	"oidcclient/oidctest/relying": {"assertion", "idtoken", "oidcclient", "oidcclient/oidctest", "oidcclient/profiles"},
	"pseudonym":                   {},
	"pseudonym/linktest":          {"pseudonym"},
}

// foreign says who may import a module of others, tests not counted.
var foreign = map[string][]string{
	"github.com/coreos/go-oidc/v3":       {"oidcclient"},
	"github.com/go-json-experiment/json": {"internal/strictjson"},
	"github.com/lestrrat-go/jwx/v2":      {"internal/jwx", "internal/jwx/jwxtest"},
	"github.com/stretchr/testify":        {"oidcclient/store/storetest", "pseudonym/linktest"},
	"github.com/tink-crypto/tink-go/v2":  {"pseudonym"},
	"golang.org/x/oauth2":                {"oidcclient", "oidcclient/grants"},
	"golang.org/x/sync":                  {"oidcclient", "oidcclient/federation", "oidcclient/grants"},
}

// imports judges the imports of one package's code.
func imports(from string, paths []string) (wrong []string) {
	example := under(from, "examples")
	allowed, known := own[from]
	if !known && !example {
		return []string{from + " is not in the table of imports"}
	}
	for _, path := range paths {
		to := rel(path)
		switch {
		case to != "" && example && !under(to, "internal"):
		case to == "internal" || strings.HasPrefix(to, "internal/"):
			if !slices.Contains(allowed, "internal") && !slices.Contains(allowed, to) {
				wrong = append(wrong, from+" imports "+to)
			}
		case to != "":
			if !slices.Contains(allowed, to) {
				wrong = append(wrong, from+" imports "+to)
			}
		case strings.Contains(strings.Split(path, "/")[0], "."):
			if !example && !foreignAllowed(from, path) {
				wrong = append(wrong, from+" imports "+path)
			}
		}
	}
	return wrong
}

func foreignAllowed(from, path string) bool {
	for name, importers := range foreign {
		if under(path, name) {
			return slices.Contains(importers, from)
		}
	}
	return false
}

// testImports judges what only tests import: they may use more, but not go
// around the packages that stand for a library.
func testImports(from string, paths []string) (wrong []string) {
	for _, path := range paths {
		for _, name := range []string{"github.com/lestrrat-go/jwx/v2", "github.com/go-json-experiment/json"} {
			if under(path, name) && !slices.Contains(foreign[name], from) {
				wrong = append(wrong, "a test of "+from+" imports "+path)
			}
		}
	}
	return wrong
}

// apart holds pairs that must not meet even through another package.
var apart = []struct{ from, to string }{
	{"assertion", module + "/idtoken"},
	{"assertion", module + "/oidcclient"},
	{"assertion", "golang.org/x/oauth2"},
	{"assertion", "github.com/coreos/go-oidc/v3"},
	{"idtoken", module + "/assertion"},
	{"idtoken", module + "/oidcclient"},
	{"idtoken", "golang.org/x/oauth2"},
	{"idtoken", "github.com/coreos/go-oidc/v3"},
	{"pseudonym", module},
	{"oidcclient/oidctest", module},
	{"internal/conformance", module},
	{"oidcclient", module + "/pseudonym"},
	{"oidcclient/weblogin", module + "/pseudonym"},
	{"oidcclient/clientconfig", module + "/pseudonym"},
}

func meet(from string, deps []string) (wrong []string) {
	for _, pair := range apart {
		for _, dep := range deps {
			if pair.from == from && under(dep, pair.to) {
				wrong = append(wrong, fmt.Sprintf("%s reaches %s", from, dep))
			}
		}
	}
	return wrong
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		from := rel(p.ImportPath)
		seen[from] = true
		assert.Empty(t, imports(from, p.Imports))
		assert.Empty(t, testImports(from, append(p.TestImports, p.XTestImports...)))
		assert.Empty(t, meet(from, p.Deps))
	}
	for from := range own {
		assert.True(t, seen[from], "%s is in the table and does not exist", from)
	}
}

func TestImportsAreRefused(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"assertion", module + "/idtoken"},
		{"idtoken", "golang.org/x/oauth2"},
		{"oidcclient", module + "/oidcclient/profiles"},
		{"oidcclient", module + "/oidcclient/oidctest"},
		{"oidcclient", module + "/pseudonym"},
		{"oidcclient", "github.com/go-jose/go-jose/v4"},
		{"oidcclient/weblogin", module + "/pseudonym"},
		{"idtoken", "github.com/lestrrat-go/jwx/v2/jwk"},
		{"idtoken", "github.com/go-json-experiment/json/jsontext"},
		{"idtoken", module + "/examples/webapp"},
		{"examples/webapp", module + "/internal/jwx"},
		{"newcomer", "fmt"},
	} {
		assert.Len(t, imports(c.from, []string{c.to}), 1, "%s imports %s", c.from, c.to)
	}
	assert.Len(t, testImports("oidcclient", []string{"github.com/lestrrat-go/jwx/v2/jwt"}), 1)
	assert.Len(t, meet("idtoken", []string{"golang.org/x/oauth2/internal"}), 1)
	assert.Empty(t, imports("oidcclient", []string{"fmt", "golang.org/x/oauth2", module + "/idtoken", module + "/internal/jose"}))
}
