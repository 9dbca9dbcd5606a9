package doctest_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/gomultiprocessing/mp"

// known are the packages that a fragment may use without importing them.
var known = map[string]string{
	"mp": module, "thread": module + "/thread",
	"unix": "golang.org/x/sys/unix", "otel": fakes + "otel", "propagation": fakes + "propagation",
	"http": "net/http", "pprof": "runtime/pprof", "slog": "log/slog", "exec": "os/exec", "signal": "os/signal",
	"synctest": "testing/synctest", "filepath": "path/filepath", "fs": "io/fs", "rand": "math/rand/v2", "debug": "runtime/debug", "atomic": "sync/atomic",
	"bufio": "bufio", "bytes": "bytes", "context": "context", "errors": "errors", "flag": "flag", "fmt": "fmt", "io": "io", "iter": "iter", "log": "log",
	"maps": "maps", "math": "math", "net": "net", "os": "os", "runtime": "runtime", "slices": "slices", "sort": "sort", "strconv": "strconv",
	"strings": "strings", "sync": "sync", "syscall": "syscall", "testing": "testing", "time": "time",
}

// fakes is where packages are that pages use and this module does not depend on.
const fakes = module + "/internal/doctest/testdata/fake/"

// source is a block that was made a whole file.
type source struct {
	*block
	text    string
	file    *ast.File
	pkg     string
	imports []string
	names   []string // that it registers
}

// completed makes a whole file of a block, whose lines are still those of the page
// to the compiler.
func completed(b *block) (*source, error) {
	text := fmt.Sprintf("//line %s:%d\n%s", filepath.Join(top(), filepath.FromSlash(b.page)), b.line, b.text)
	if b.wrap != "" {
		wrapper, err := os.ReadFile(filepath.Join("testdata", "wrap", b.wrap+".go.txt"))
		if err != nil {
			return nil, fmt.Errorf("%v: %w", b, err)
		}
		before, after, ok := strings.Cut(string(wrapper), "BLOCK\n")
		if !ok {
			return nil, fmt.Errorf("testdata/wrap/%s.go.txt has no line BLOCK", b.wrap)
		}
		rest := strings.Count(before, "\n") + 2
		path, err := filepath.Abs(filepath.Join("testdata", "wrap", b.wrap+".go.txt"))
		if err != nil {
			return nil, err
		}
		text = fmt.Sprintf("%s%s//line %s:%d\n%s", before, text, path, rest, after)
	}
	s := &source{block: b}
	var err error
	if b.wrap != "" {
		if text, err = usedVariables(text); err == nil {
			text, err = imported(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%v: %w", b, err)
		}
	}
	s.text = strings.ReplaceAll(text, `"example.com/`, `"`+pagePath(b.page)+`/`)
	if s.file, err = parser.ParseFile(token.NewFileSet(), "", s.text, parser.ParseComments); err != nil {
		return nil, fmt.Errorf("%v: %w", b, err)
	}
	s.pkg = s.file.Name.Name
	for _, imp := range s.file.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		s.imports = append(s.imports, path)
	}
	s.names = registered(s.file)
	return s, nil
}

// imported adds the imports that a file without any needs.
func imported(text string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments)
	if err != nil {
		return "", err
	}
	declared := declaredIn(file)
	var paths []string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && !declared[id.Name] && known[id.Name] != "" {
				paths = append(paths, known[id.Name])
			}
		}
		return true
	})
	slices.Sort(paths)
	var imports strings.Builder
	for _, path := range slices.Compact(paths) {
		fmt.Fprintf(&imports, "; import %q", path)
	}
	end := offset(file, file.Name.End())
	return text[:end] + imports.String() + text[end:], nil
}

// declaredIn are the names that a file declares, wherever.
func declaredIn(file *ast.File) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				if id, ok := x.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.FuncDecl:
			names[n.Name.Name] = true
		}
		return true
	})
	return names
}

// usedVariables adds a use of each variable that a statement declares, since a
// fragment need not go on to where its variables are used.
func usedVariables(text string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments)
	if err != nil {
		return "", err
	}
	type insertion struct {
		at   int
		text string
	}
	var insertions []insertion
	use := func(at int, before, after string, names []ast.Expr) {
		for _, name := range names {
			if id, ok := name.(*ast.Ident); ok && id.Name != "_" {
				insertions = append(insertions, insertion{at, before + "_ = " + id.Name + after})
			}
		}
	}
	statements := func(list []ast.Stmt) {
		for _, s := range list {
			switch s := s.(type) {
			case *ast.AssignStmt:
				if s.Tok == token.DEFINE {
					use(offset(file, s.End()), "; ", "", s.Lhs)
				}
			case *ast.RangeStmt:
				if s.Tok == token.DEFINE {
					use(offset(file, s.Body.Lbrace)+1, " ", ";", []ast.Expr{s.Key, s.Value})
				}
			case *ast.DeclStmt:
				for _, spec := range s.Decl.(*ast.GenDecl).Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, name := range v.Names {
							use(offset(file, s.End()), "; ", "", []ast.Expr{name})
						}
					}
				}
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			statements(n.List)
		case *ast.CaseClause:
			statements(n.Body)
		case *ast.CommClause:
			statements(n.Body)
		}
		return true
	})
	slices.SortStableFunc(insertions, func(a, b insertion) int { return b.at - a.at })
	for _, in := range insertions {
		text = text[:in.at] + in.text + text[in.at:]
	}
	return text, nil
}

func offset(file *ast.File, pos token.Pos) int { return int(pos - file.FileStart) }

// registered are the names that a file gives to functions, types and errors.
func registered(file *ast.File) (names []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		fun := call.Fun
		switch f := fun.(type) {
		case *ast.IndexExpr:
			fun = f.X
		case *ast.IndexListExpr:
			fun = f.X
		}
		sel, ok := fun.(*ast.SelectorExpr)
		if !ok || !strings.HasPrefix(sel.Sel.Name, "Register") {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok {
			if name, err := strconv.Unquote(lit.Value); err == nil && name != "" {
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

// promise is what the comments behind calls of fmt.Print and its like say that the
// block prints, and whether they say it of all such calls.
func (s *source) promise() (lines []string, all bool) {
	behind := map[int]string{} // a comment by the line on which it stands
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", s.block.text, parser.ParseComments)
	if err != nil { // a fragment
		file, err = parser.ParseFile(fset, "", "package p; func _() {"+s.block.text+"}", parser.ParseComments)
	}
	if err != nil {
		return nil, false
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			behind[fset.Position(c.Pos()).Line] = strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
		}
	}
	all = true
	ast.Inspect(file, func(n ast.Node) bool {
		stmt, ok := n.(*ast.ExprStmt)
		if !ok {
			return true
		}
		call, ok := stmt.X.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "fmt" || !strings.HasPrefix(sel.Sel.Name, "Print") {
			return true
		}
		if text, ok := behind[fset.Position(stmt.End()).Line]; ok {
			lines = append(lines, text)
		} else {
			all = false
		}
		return true
	})
	return lines, all
}

// keeps compares what a program has printed with what its page promises.
func (s *source) keeps(printed []byte) error {
	got := trimmed(string(bytes.ToValidUTF8(printed, nil)))
	if s.prints {
		if want := trimmed(s.want); !slices.Equal(got, want) {
			return fmt.Errorf("it printed\n%s\nand the page promises\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	}
	want, all := s.promise()
	if len(want) == 0 {
		return nil
	}
	if all && slices.Equal(got, want) {
		return nil
	}
	rest := got
	for _, line := range want {
		at := slices.Index(rest, line)
		if all || at < 0 {
			return fmt.Errorf("it printed\n%s\nand the page promises\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		rest = rest[at+1:]
	}
	return nil
}

// trimmed are the lines of a text without what readers cannot see.
func trimmed(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	return lines
}
