package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The files of a package stand on floors as packages do: what a file uses is declared on its own floor or
// below. A floor has the files that are about one thing.
//
// An arrow leads from a file to another one in which something is declared that it uses: a type, a function, a
// variable, a constant, a method or a field. However much it uses, it is one arrow.
func TestFileFloors(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command in PATH: the packages cannot be type-checked")
	}
	t.Run("mp", func(t *testing.T) {
		checkFiles(t, ".", [][]string{ // from the ground up
			{"doc", "resume_unix", "resume_other"},
			{"enums", "names", "stack", "remoteerror", "errors", "weaklist", "window", "task", "output"}, // texts, errors, lists
			{"current", "limits"}, // this process; what configurations may say
			{"errformat", "errknown", "errstd", "errencode", "errdecode", "errlog", "deadlock"},                                                                   // errors as they travel and are printed
			{"object", "objects", "hold", "lock", "rlock", "semaphore", "condition", "barrier", "queue", "value", "counter", "array", "memory", "shareable_list"}, // what processes share
			{"func", "types", "file", "travel", "binding", "main", "onexit"},                                                                                      // functions, and what they are called with
			{"process", "start", "children"}, // single processes
			{"events", "ctxwatch", "direct", "transport", "pool", "poolconfig", "newpool", "stats", "watch"},                            // pools
			{"options", "result", "submit", "apply", "map", "broadcast", "completed", "stream_order", "stream", "stream_tasks", "imap"}, // calls of a pool
			{"select", "conn", "event"}, // waiting for several things, and what can be waited for so
			{"carry"},                   // doors for sibling packages
		})
	})
	t.Run("thread", func(t *testing.T) {
		checkFiles(t, "thread", [][]string{
			{"doc", "locks", "queue", "pipe", "values", "pool"}, // mp's types, on goroutines
			{"thread"},
			{"hook", "local", "enumerate"}, // what is there beside a thread
			{"run", "start", "timer"},
		})
	})
}

// checkFiles fails for each arrow between files of the package in dir that leads up, and for circles.
func checkFiles(t *testing.T, dir string, floors [][]string) {
	t.Helper()
	floor := make(map[string]int)
	for i, names := range floors {
		for _, name := range names {
			floor[name+".go"] = i
		}
	}
	arrows := fileArrows(t, dir)
	n := 0
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		if _, ok := floor[from]; !ok {
			t.Errorf("%s is on no floor: say in this test where it belongs", from)
			continue
		}
		for _, to := range slices.Sorted(maps.Keys(arrows[from])) {
			n++
			if floor[to] > floor[from] {
				t.Errorf("%s uses %s of %s, which is above it", from, strings.Join(slices.Sorted(maps.Keys(arrows[from][to])), ", "), to)
			}
		}
	}
	if circle := circleIn(arrows); circle != nil {
		t.Errorf("files use each other in a circle: %s", strings.Join(circle, " -> "))
	}
	if n < 10 {
		t.Errorf("only %d arrows between files found: the rule would hold for nothing", n)
	}
	t.Logf("%d arrows between %d files", n, len(arrows))
}

// circleIn is a way along arrows back to where it began; nil: there is none.
func circleIn(arrows map[string]map[string]map[string]bool) (circle []string) {
	done := make(map[string]bool)
	var way []string
	var visit func(file string) bool
	visit = func(file string) bool {
		if i := slices.Index(way, file); i >= 0 {
			circle = append(way[i:], file)
			return true
		}
		if done[file] {
			return false
		}
		way = append(way, file)
		for _, to := range slices.Sorted(maps.Keys(arrows[file])) {
			if visit(to) {
				return true
			}
		}
		way = way[:len(way)-1]
		done[file] = true
		return false
	}
	for _, file := range slices.Sorted(maps.Keys(arrows)) {
		if visit(file) {
			break
		}
	}
	return circle
}

// fileArrows are the arrows between the files of a package, with the names used, of this system's files.
func fileArrows(t *testing.T, dir string) map[string]map[string]map[string]bool {
	t.Helper()
	fset := token.NewFileSet()
	pkg, files, info := checked(t, fset, dir)
	arrows := make(map[string]map[string]map[string]bool)
	for _, f := range files {
		arrows[filepath.Base(fset.Position(f.Pos()).Filename)] = make(map[string]map[string]bool)
	}
	for id, obj := range info.Uses {
		global := obj.Parent() == pkg.Scope()
		_, method := obj.(*types.Func)
		v, _ := obj.(*types.Var)
		if obj.Pkg() != pkg || !global && !method && (v == nil || !v.IsField()) {
			continue
		}
		from, to := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(obj.Pos()).Filename)
		if from == to {
			continue
		}
		if arrows[from][to] == nil {
			arrows[from][to] = make(map[string]bool)
		}
		arrows[from][to][obj.Name()] = true
	}
	return arrows
}

// checked type-checks the package in dir, without its tests.
func checked(t *testing.T, fset *token.FileSet, dir string) (*types.Package, []*ast.File, *types.Info) {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles", ".")
	cmd.Dir = filepath.Join(root, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type listed struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
	}
	exports := make(map[string]string)
	var this listed // the last one, as it depends on all others
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath], this = p.Export, p
	}
	var files []*ast.File
	for _, name := range this.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(this.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	pkg, err := conf.Check(this.ImportPath, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	return pkg, files, info
}
