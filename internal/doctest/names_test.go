package doctest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	inline    = regexp.MustCompile("`[^`\n]+`")
	qualified = regexp.MustCompile(`\b(mp|thread|PoolConfig|ProcessConfig|Outcome|WorkerStats|Stats|Result|Pool|Process|Hold|Watch)\.([A-Z]\w*)`)
	called    = regexp.MustCompile(`\b([a-z]\w*)\.([A-Z]\w*)\(`)
)

// elsewhere are calls of what is not this module's.
var elsewhere = map[string]bool{"multiprocessing.Queue": true, "queue.Queue": true, "t.Context": true}

// face is what a package exports: functions and the like, and by the names of types their
// methods and fields.
type face map[string]map[string]bool

// readFace parses the files of a package.
func readFace(t *testing.T, dir string) face {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	f := face{"": {}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f.declare(d)
		}
	}
	if len(f[""]) < 10 {
		t.Fatalf("package %s exports only %v", dir, f[""])
	}
	return f
}

func (f face) of(name string) map[string]bool {
	if f[name] == nil {
		f[name] = map[string]bool{}
	}
	return f[name]
}

func (f face) declare(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		receiver := ""
		if d.Recv != nil {
			ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && receiver == "" {
					receiver = id.Name
				}
				return true
			})
		}
		f.of(receiver)[d.Name.Name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, id := range s.Names {
					f.of("")[id.Name] = true
				}
			case *ast.TypeSpec:
				f.of("")[s.Name.Name] = true
				if st, ok := s.Type.(*ast.StructType); ok {
					for _, field := range st.Fields.List {
						for _, id := range field.Names {
							f.of(s.Name.Name)[id.Name] = true
						}
					}
				}
			}
		}
	}
}

// method says whether some type has such a method.
func (f face) method(name string) bool {
	for of, names := range f {
		if of != "" && names[name] {
			return true
		}
	}
	return false
}

var sourceFile = regexp.MustCompile("^`(internal/[a-z/_]*[a-z_]|[a-z/_]*[a-z_]\\.go)`$")

// The packages and files that the pages name exist.
func TestFiles(t *testing.T) {
	seen := 0
	for _, page := range append(pages(t), "SECURITY.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range inline.FindAllString(string(text), -1) {
			m := sourceFile.FindStringSubmatch(code)
			if m == nil || strings.HasPrefix(m[1], "_") {
				continue
			}
			seen++
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: there is no %s", page, code)
			}
		}
	}
	if seen < 20 {
		t.Fatalf("only %d files found", seen)
	}
}

// What the pages name in their prose and tables exists. (What is in Go blocks the compiler
// looks at.)
func TestNames(t *testing.T) {
	mp, thread := readFace(t, "."), readFace(t, "thread")
	seen := 0
	for _, page := range append(pages(t), "SECURITY.md") {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
		if err != nil {
			t.Fatal(err)
		}
		prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(text), "")
		for _, code := range inline.FindAllString(prose, -1) {
			for _, m := range qualified.FindAllStringSubmatch(code, -1) {
				seen++
				of, name := m[1], m[2]
				exists := mp.of(of)[name]
				switch of {
				case "mp":
					exists = mp[""][name]
				case "thread":
					exists = thread[""][name]
				}
				if !exists {
					t.Errorf("%s: %s names %s.%s, which does not exist", page, code, of, name)
				}
			}
			for _, m := range called.FindAllStringSubmatch(code, -1) {
				if of := m[1]; known[of] == "" && !elsewhere[of+"."+m[2]] && !mp.method(m[2]) && !thread.method(m[2]) {
					t.Errorf("%s: %s calls %s, which nothing has", page, code, m[2])
				}
			}
		}
	}
	if seen < 100 {
		t.Fatalf("only %d names found", seen)
	}
}
