package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/gomultiprocessing/mp"

// root is the module's folder as seen from this package's.
const root = "../.."

// file is a Go file of the module.
type file struct {
	path string // from the root, with slashes
	text []byte
	ast  *ast.File
}

// goFiles parses all Go files of the module.
func goFiles(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files = append(files, file{filepath.ToSlash(rel), text, parsed})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found under %s: the rules would hold for nothing", len(files), root)
	}
	return files
}

func (f file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f file) imports(path string) bool {
	for _, imp := range f.ast.Imports {
		if p, _ := strconv.Unquote(imp.Path.Value); p == path {
			return true
		}
	}
	return false
}

// What is unsafe is in two places, so that it can be read in an hour.
func TestUnsafeIsFenced(t *testing.T) {
	for _, f := range goFiles(t) {
		allowed := f.test() || strings.HasPrefix(f.path, "internal/shm/") || f.path == "internal/codec/unsafe.go"
		if f.imports("unsafe") && !allowed {
			t.Errorf("%s imports unsafe; only internal/shm and internal/codec/unsafe.go may", f.path)
		}
	}
}

// Whoever imports mp gets golang.org/x/sys with it and nothing else.
func TestCoreDependencies(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command in PATH: the dependencies cannot be listed")
	}
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard", ".", "./thread")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	seen := 0
	for {
		var p struct {
			ImportPath string
			Standard   bool
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		own := p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
		if !p.Standard && !own && !strings.HasPrefix(p.ImportPath, "golang.org/x/sys/") {
			t.Errorf("the core depends on %s", p.ImportPath)
		}
		if p.ImportPath == "net" {
			t.Error("the core depends on net, which costs every worker a millisecond at its start")
		}
	}
	if seen < 20 {
		t.Fatalf("only %d packages listed", seen)
	}
}

// Imports go down the floors of the house, never up.
func TestFloors(t *testing.T) {
	floors := map[string]int{ // the higher, the further up
		"internal/errtext": -1, "internal/early": -1, "internal/list": -1, "internal/bubble": -1, "internal/fdpass": -1, "internal/auth": -1,
		"internal/key": 0, "internal/task": 0, "internal/codec": 0, "internal/spawn": 0, "internal/shm": 0, "internal/readiness": 0,
		"internal/proctable": 1, "internal/carrier": 1, "internal/spin": 1, "internal/frame": 1,
		"internal/waitq": 2,
		"internal/pipe":  3, "internal/pool": 3, "internal/shared": 3, "internal/inproc": 3, "internal/hooks": 3,
		"internal/proc/proto": 3, "internal/proc/host": 4, "internal/proc/child": 4, "internal/hosted": 4, "internal/goroutine": 4,
		"internal/hook": 5,
		"":              6,
		"thread":        7, "examples/internal/show": 7, "pickle": 7,
		"examples/internal": 8, "examples/echo/serve": 8,
		"internal/testkit": 8,
		"bench":            9, "examples": 9, "internal/lint": 9, "tests": 9,
		"internal/doctest": 9,
	}
	floor := func(dir string) (int, bool) {
		for d := dir; ; d = filepath.ToSlash(filepath.Dir(d)) {
			if d == "." {
				d = ""
			}
			if n, ok := floors[d]; ok && (d != "" || dir == "") {
				return n, true
			}
			if d == "" {
				return 0, false
			}
		}
	}
	for _, f := range goFiles(t) {
		dir := filepath.ToSlash(filepath.Dir(f.path))
		if dir == "." {
			dir = ""
		}
		mine, ok := floor(dir)
		if !ok {
			t.Errorf("%s is on no floor: say in this test where it belongs", f.path)
			continue
		}
		for _, imp := range f.ast.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if path != module && !strings.HasPrefix(path, module+"/") || f.test() {
				continue
			}
			to := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			if theirs, ok := floor(to); to != dir && (!ok || theirs >= mine) {
				t.Errorf("%s imports %s, which is not below it", f.path, path)
			}
		}
	}
}

// The scheduler does no I/O, or it could not be tested in virtual time.
func TestSchedulerIsPure(t *testing.T) {
	for _, f := range goFiles(t) {
		if !strings.HasPrefix(f.path, "internal/pool/") || f.test() {
			continue
		}
		for _, imp := range []string{"os", "io", "net", "syscall", "os/exec", "golang.org/x/sys/unix"} {
			if f.imports(imp) {
				t.Errorf("%s imports %s", f.path, imp)
			}
		}
	}
}

// One idea a file, and one a function.
func TestSizes(t *testing.T) {
	const maxFile, maxTest, maxFunc = 400, 700, 60
	for _, f := range goFiles(t) {
		lines := bytes.Count(f.text, []byte("\n"))
		limit := maxFile
		if f.test() {
			limit = maxTest
		}
		if lines > limit {
			t.Errorf("%s has %d lines, more than %d: which two ideas live in it?", f.path, lines, limit)
		}
		if f.test() {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			from, to := int(fn.Pos())-int(f.ast.FileStart), int(fn.End())-int(f.ast.FileStart)
			if n := bytes.Count(f.text[from:to], []byte("\n")) + 1; n > maxFunc {
				t.Errorf("%s: %s has %d lines, more than %d", f.path, fn.Name.Name, n, maxFunc)
			}
		}
	}
}

// Names that say nothing gather everything.
func TestNoLumberRooms(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, part := range strings.Split(f.path, "/") {
			part = strings.TrimSuffix(part, ".go")
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc"}, part) {
				t.Errorf("%s: name it after what is in it", f.path)
			}
		}
	}
}

// Whatever users see says what it does.
func TestPublicFaceIsDocumented(t *testing.T) {
	for _, f := range goFiles(t) {
		if strings.Contains(f.path, "/") && !strings.HasPrefix(f.path, "thread/") && !strings.HasPrefix(f.path, "pickle/") || f.test() {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", f.path, name)
			}
		}
	}
}

// undocumented are the exported names of a declaration that have no comment.
func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}
