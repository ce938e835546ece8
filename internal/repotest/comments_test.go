package repotest

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// undocumented returns the exported names of a package that nothing is said
// about. A comment is about the names that follow it without an empty line, so
// that a group may have one. Error, String and Unwrap do what everybody knows, and
// the fields of a type whose comment names the RFC of its members are that RFC's.
func undocumented(files []*source) (wrong []string) {
	if len(files) == 0 || files[0].file.Name.Name == "main" {
		return nil
	}
	about := false
	for _, s := range files {
		about = about || s.file.Doc != nil
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && receiverExported(d) && !wellKnown(d) {
					wrong = append(wrong, fmt.Sprintf("%s:%d: %s", s.path, s.line(d.Pos()), d.Name.Name))
				}
			case *ast.GenDecl:
				wrong = append(wrong, undocumentedSpecs(s, d)...)
			}
		}
	}
	if !about {
		wrong = append(wrong, files[0].pkg+": package")
	}
	return wrong
}

func wellKnown(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	switch d.Name.Name {
	case "Error", "String", "Unwrap":
		return len(d.Type.Params.List) == 0
	}
	return false
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	return ast.IsExported(base(d.Recv.List[0].Type))
}

func undocumentedSpecs(s *source, d *ast.GenDecl) (wrong []string) {
	run := run{s: s}
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if !spec.Name.IsExported() {
				continue
			}
			if d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s", s.path, s.line(spec.Pos()), spec.Name.Name))
			}
			registered := strings.Contains(d.Doc.Text()+spec.Doc.Text(), "RFC")
			wrong = append(wrong, undocumentedFields(s, spec, registered)...)
		case *ast.ValueSpec:
			said := run.said(spec, spec.Doc, spec.Comment) || d.Doc != nil && (d.Tok == token.VAR || len(d.Specs) == 1)
			for _, name := range spec.Names {
				if name.IsExported() && !said {
					wrong = append(wrong, fmt.Sprintf("%s:%d: %s", s.path, s.line(spec.Pos()), name.Name))
				}
			}
		}
	}
	return wrong
}

func undocumentedFields(s *source, spec *ast.TypeSpec, registered bool) (wrong []string) {
	var fields *ast.FieldList
	switch t := spec.Type.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return nil
	}
	run := run{s: s}
	for _, field := range fields.List {
		said := run.said(field, field.Doc, field.Comment) || registered && field.Tag != nil && strings.Contains(field.Tag.Value, "json:")
		for _, name := range field.Names {
			if name.IsExported() && !said {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s.%s", s.path, s.line(field.Pos()), spec.Name.Name, name.Name))
			}
		}
	}
	return wrong
}

// run follows lines under one comment.
type run struct {
	s       *source
	end     int  // last line of the previous name
	covered bool // by a comment above the run
}

func (r *run) said(n ast.Node, doc, comment *ast.CommentGroup) bool {
	start := r.s.line(n.Pos())
	follows := start == r.end+1
	r.end = r.s.line(n.End())
	if doc != nil {
		r.covered = true
	} else if !follows {
		r.covered = false
	}
	return r.covered || comment != nil
}

func TestUndocumentedIsFound(t *testing.T) {
	find := func(text string) []string {
		s, err := parse("idtoken/x.go", []byte("// Package idtoken is.\npackage idtoken\n"+text))
		require.NoError(t, err)
		return undocumented([]*source{s})
	}
	for _, text := range []string{
		"func F() {}", "type T int", "const C = 1", "var ErrX = f()",
		"// T is.\ntype T struct {\n\tA int\n}",
		"// T is.\ntype T struct {\n\t// A is.\n\tA int\n\n\tB int\n}",
		"// T is.\ntype T interface{ M() }",
		"// T is.\ntype T int\nfunc (T) M() {}",
		"// Cs are.\nconst (\n\tC = 1\n\n\tD = 2 // is\n)",
	} {
		assert.Len(t, find(text), 1, text)
	}
	for _, text := range []string{
		"// F is.\nfunc F() {}", "func f() {}", "type t struct{ A int }",
		"// T is.\ntype T struct {\n\t// A and B are.\n\tA int\n\tB int\n\n\tC int // is\n}",
		"// T is.\ntype T int\nfunc (T) String() string { return \"\" }",
		"// T are the members of RFC 1.\ntype T struct {\n\tA int `json:\"a\"`\n}",
		"// Cs are.\nconst (\n\t// C is.\n\tC = 1\n\tD = 2\n)",
	} {
		assert.Empty(t, find(text), text)
	}
	s, err := parse("idtoken/x.go", []byte("package idtoken\n"))
	require.NoError(t, err)
	assert.Len(t, undocumented([]*source{s}), 1, "a package without comment")
}
