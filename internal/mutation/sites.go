package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// site is a refusal that can be taken out.
type site struct {
	id         string // function and condition, so that it outlives edits elsewhere
	file       string
	line       int
	text       string // the condition
	begin, end int    // of the condition in the file
}

// sitesIn finds the refusals in a folder's Go files, tests not counted; with
// names, only in those files.
func sitesIn(folder string, files []string) ([]site, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(files) > 0 {
		names = nil
		for _, file := range files {
			names = append(names, filepath.Join(folder, file))
		}
	}
	var sites []site
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		found, err := sitesOf(name)
		if err != nil {
			return nil, err
		}
		sites = append(sites, found...)
	}
	if len(sites) == 0 {
		return nil, fmt.Errorf("no refusal in %s", folder)
	}
	seen := map[string]int{}
	for i := range sites {
		seen[sites[i].id]++
		if n := seen[sites[i].id]; n > 1 {
			sites[i].id += fmt.Sprintf(" #%d", n)
		}
	}
	return sites, nil
}

func sitesOf(name string) ([]site, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var sites []site
	add := func(function string, condition ast.Expr) {
		begin, end := files.Position(condition.Pos()), files.Position(condition.End())
		source := string(text[begin.Offset:end.Offset])
		sites = append(sites, site{
			id:   strings.TrimSuffix(name, ".go") + " " + function + ": " + strings.Join(strings.Fields(source), " "),
			file: name, line: begin.Line, text: source, begin: begin.Offset, end: end.Offset,
		})
	}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		ast.Inspect(function.Body, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.IfStmt:
				if refuses(node.Body.List) {
					add(function.Name.Name, node.Cond)
				}
			case *ast.SwitchStmt:
				if node.Tag != nil {
					return true
				}
				for _, clause := range node.Body.List {
					clause := clause.(*ast.CaseClause)
					for _, condition := range clause.List {
						if refuses(clause.Body) {
							add(function.Name.Name, condition)
						}
					}
				}
			}
			return true
		})
	}
	slices.SortFunc(sites, func(a, b site) int { return cmp.Compare(a.begin, b.begin) })
	return sites, nil
}

// refuses reports whether statements end by returning an error, a reason or
// false.
func refuses(statements []ast.Stmt) bool {
	if len(statements) == 0 {
		return false
	}
	last, ok := statements[len(statements)-1].(*ast.ReturnStmt)
	return ok && slices.ContainsFunc(last.Results, isRefusal)
}

func isRefusal(result ast.Expr) bool {
	switch result := result.(type) {
	case *ast.BasicLit: // a reason
		return result.Kind == token.STRING && result.Value != `""`
	case *ast.BinaryExpr: // a reason with a name in it
		return result.Op == token.ADD && (isRefusal(result.X) || isRefusal(result.Y))
	case *ast.Ident:
		return result.Name == "false" || strings.HasPrefix(strings.ToLower(result.Name), "err") || result.Name == "refusal"
	case *ast.UnaryExpr: // &Error{…}
		literal, ok := result.X.(*ast.CompositeLit)
		return ok && result.Op == token.AND && strings.HasSuffix(called(literal.Type), "Error")
	case *ast.CallExpr:
		name := called(result.Fun)
		return slices.Contains([]string{"New", "Errorf", "refused", "refusedChain", "unavailable", "fail"}, name) ||
			strings.HasPrefix(strings.ToLower(name), "err") || strings.HasSuffix(name, "Error")
	}
	return false
}

func called(fun ast.Expr) string {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	}
	return ""
}
