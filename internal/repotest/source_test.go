package repotest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Bounds on what has to be read at once, in lines. They are smoke detectors:
// whoever has a reason to break one names it in exceptions.
const (
	maxFile     = 500
	maxFunction = 70
	maxExample  = 80
)

// exceptions names what may break a rule, as "path", "path: function" or
// "path: names word", and why.
var exceptions = map[string]string{
	"internal/corpus/generate/certificates.go: names ishare": "did:ishare is how identifiers begin in the scheme that binds them to a certificate",
	"internal/certchain/party.go: names ishare":              "did:ishare is the method's name in a DID, compared with what a certificate says",
}

// source is one Go file, parsed.
type source struct {
	path   string // below the repository's root, with slashes
	pkg    string // the package's path below the module
	fset   *token.FileSet
	file   *ast.File
	lines  int
	isTest bool
}

func parse(path string, text []byte) (*source, error) {
	s := &source{path: path, pkg: filepath.ToSlash(filepath.Dir(path)), fset: token.NewFileSet()}
	s.isTest = strings.HasSuffix(path, "_test.go")
	s.lines = bytes.Count(text, []byte("\n"))
	var err error
	s.file, err = parser.ParseFile(s.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	return s, err
}

// sources returns every Go file of every package of the module.
func sources(t *testing.T) []*source {
	t.Helper()
	var all []*source
	for _, p := range packages(t) {
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			require.NoError(t, err)
			s, err := parse(rel(p.ImportPath)+"/"+name, text)
			require.NoError(t, err)
			all = append(all, s)
		}
	}
	require.Greater(t, len(all), 50)
	return all
}

func (s *source) line(pos token.Pos) int { return s.fset.Position(pos).Line }

// sizes returns what of a file is longer than the rules say.
func sizes(s *source) (wrong []string) {
	limit := maxFile
	if under(s.pkg, "examples") && filepath.Base(s.path) == "main.go" && s.pkg != "examples/webapp" {
		limit = maxExample
	}
	if s.lines > limit && exceptions[s.path] == "" {
		wrong = append(wrong, fmt.Sprintf("%s has %d lines", s.path, s.lines))
	}
	for _, decl := range s.file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || s.isTest { // a table of a test is as long as its cases are many
			continue
		}
		name := s.path + ": " + fn.Name.Name
		if lines := s.line(fn.End()) - s.line(fn.Pos()) + 1; lines > maxFunction && exceptions[name] == "" {
			wrong = append(wrong, fmt.Sprintf("%s has %d lines", name, lines))
		}
	}
	return wrong
}

// globals returns what makes importing a package have an effect or its behaviour
// change under its users: init functions, exported variables that are no error,
// and variables that something is ever assigned to.
func globals(files []*source) (wrong []string) {
	declared := map[string]bool{}
	for _, s := range files {
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					wrong = append(wrong, s.path+": init")
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						declared[name.Name] = true
						if name.IsExported() && !strings.HasPrefix(name.Name, "Err") {
							wrong = append(wrong, s.path+": exported variable "+name.Name)
						}
					}
				}
			}
		}
	}
	for _, s := range files {
		for _, name := range changed(s.file) {
			if declared[name] {
				wrong = append(wrong, s.path+": changes the package's variable "+name)
			}
		}
	}
	return wrong
}

// changed returns the names that a file assigns to, or to a part of, or takes
// the address of. A local variable that is declared with the name hides it.
func changed(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		local := map[string]bool{}
		var hit []string
		ast.Inspect(fn, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				for _, name := range n.Names {
					local[name.Name] = true
				}
			case *ast.ValueSpec:
				for _, name := range n.Names {
					local[name.Name] = true
				}
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
						local[id.Name] = true
						continue
					}
					hit = append(hit, base(left))
				}
			case *ast.RangeStmt:
				for _, left := range []ast.Expr{n.Key, n.Value} {
					if left != nil && n.Tok == token.DEFINE {
						local[base(left)] = true
					}
				}
			case *ast.IncDecStmt:
				hit = append(hit, base(n.X))
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					hit = append(hit, base(n.X))
				}
			}
			return true
		})
		for _, name := range hit {
			if name != "" && !local[name] {
				names = append(names, name)
			}
		}
	}
	return names
}

// base returns the variable that an expression is a part of.
func base(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return base(e.X)
	case *ast.SelectorExpr:
		return base(e.X)
	case *ast.StarExpr:
		return base(e.X)
	case *ast.ParenExpr:
		return base(e.X)
	}
	return ""
}

// providers are the words by which code could tell one provider from another.
var providers = []string{"ishare", "bankid", "blockid", "1kosmos", "faces", "umbrella"}

// namesProvider returns the places where code knows a provider by name.
func namesProvider(s *source) (wrong []string) {
	if s.isTest || under(s.pkg, "oidcclient/profiles", "oidcclient/oidctest", "examples", "internal/repotest") {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			for _, word := range providers {
				if n.Kind == token.STRING && strings.Contains(strings.ToLower(n.Value), word) && exceptions[s.path+": names "+word] == "" {
					wrong = append(wrong, fmt.Sprintf("%s:%d: a text names %s", s.path, s.line(n.Pos()), word))
				}
			}
		case *ast.BinaryExpr:
			for _, side := range []ast.Expr{n.X, n.Y} {
				if sel, ok := side.(*ast.SelectorExpr); ok && sel.Sel.Name == "Name" && strings.EqualFold(last(sel.X), "profile") && (n.Op == token.EQL || n.Op == token.NEQ) && !isEmpty(n.X) && !isEmpty(n.Y) {
					wrong = append(wrong, fmt.Sprintf("%s:%d: a profile's name is compared", s.path, s.line(n.Pos())))
				}
			}
		case *ast.SwitchStmt:
			if sel, ok := n.Tag.(*ast.SelectorExpr); ok && sel.Sel.Name == "Name" && strings.EqualFold(last(sel.X), "profile") {
				wrong = append(wrong, fmt.Sprintf("%s:%d: a profile's name is compared", s.path, s.line(n.Pos())))
			}
		}
		return true
	})
	return wrong
}

// last returns the last name of an expression.
func last(e ast.Expr) string {
	if sel, ok := e.(*ast.SelectorExpr); ok {
		return sel.Sel.Name
	}
	return base(e)
}

func isEmpty(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Value == `""`
}

func TestSource(t *testing.T) {
	code := map[string][]*source{}
	used := map[string]bool{}
	for _, s := range sources(t) {
		assert.Empty(t, sizes(s))
		assert.Empty(t, namesProvider(s))
		used[s.path] = true
		if !s.isTest {
			code[s.pkg] = append(code[s.pkg], s)
		}
	}
	for _, files := range code {
		assert.Empty(t, globals(files))
		assert.Empty(t, undocumented(files))
	}
	for name := range exceptions {
		path, _, _ := strings.Cut(name, ": ")
		assert.True(t, used[path], "%s is an exception and does not exist", name)
	}
}

func TestSourceIsRefused(t *testing.T) {
	read := func(text string) *source {
		s, err := parse("idtoken/x.go", []byte("package idtoken\n"+text))
		require.NoError(t, err)
		return s
	}
	for name, text := range map[string]string{
		"init":        `func init() {}`,
		"exported":    `var Default = 1`,
		"assigned":    `var n int; func f() { n = 2 }`,
		"counted":     `var n int; func f() { n++ }`,
		"element":     `var m = map[string]int{}; func f() { m["a"] = 1 }`,
		"address":     `var n int; func f() *int { return &n }`,
		"other field": `var n struct{ a int }; func f() { n.a = 1 }`,
	} {
		assert.Len(t, globals([]*source{read(text)}), 1, name)
	}
	assert.Empty(t, globals([]*source{read(`var ErrX = f(); var table = [2]int{}; func f() error { table := 1; table = 2; return nil }`)}))
	for name, text := range map[string]string{
		"text":     `var a = "https://x.1Kosmos.net"`,
		"compared": `func f(c C) bool { return c.Profile.Name == other }`,
		"switched": `func f(profile P) { switch profile.Name { case x: } }`,
	} {
		assert.Len(t, namesProvider(read(text)), 1, name)
	}
	assert.Empty(t, namesProvider(read(`func f(c C) bool { return c.Profile.Name == "" }`)))
	assert.Len(t, sizes(read("func f() {"+strings.Repeat("\n", maxFunction)+"}")), 1)
	assert.Empty(t, sizes(read("func f() {"+strings.Repeat("\n", maxFunction-1)+"}")))
	assert.Len(t, sizes(read(strings.Repeat("\n", maxFile))), 1)
}
