package thread_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asyncioGuide shows Examples of this package.
const asyncioGuide = "../docs/asyncio.md"

// checkedExamples are the names of the Examples in a file whose output is checked.
func checkedExamples(t *testing.T, path string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, e := range doc.Examples(parsed) {
		if e.Output != "" || e.EmptyOutput {
			names["Example"+e.Name] = true
		}
	}
	return names
}

// Whoever follows a link in the guide finds the Example of that name, and it is run.
func TestAsyncioGuideShowsExamplesThatRun(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(asyncioGuide)
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\[(Example\w+)\]\(([^)]+)\)`).FindAllStringSubmatch(string(guide), -1)
	if len(links) < 20 {
		t.Fatalf("only %d links to Examples found", len(links))
	}
	for _, link := range links {
		name, path := link[1], filepath.Join(filepath.Dir(asyncioGuide), filepath.FromSlash(link[2]))
		if !checkedExamples(t, path)[name] {
			t.Errorf("%s is not in %s, or its output is not checked", name, link[2])
		}
	}
	if linked, named := len(links), len(regexp.MustCompile(`Example[A-Z]\w*`).FindAll(guide, -1)); linked != named {
		t.Errorf("%d Examples are named, and %d of them linked", named, linked)
	}
}

// No Example that was written for the guide is forgotten there.
func TestAsyncioGuideShowsAllItsExamples(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(asyncioGuide)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("example_asyncio_*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for name := range checkedExamples(t, file) {
			if !strings.Contains(string(guide), "["+name+"]") {
				t.Errorf("%s of %s is not in the guide", name, file)
			}
		}
	}
}

// exported are the names that a package declares, those of methods among them.
func exported(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = true
				return false // what is declared in it is its own
			case *ast.TypeSpec:
				names[n.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range n.Names {
					names[name.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// What the guide names of this module is there.
func TestAsyncioGuideNamesWhatExists(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(asyncioGuide)
	if err != nil {
		t.Fatal(err)
	}
	for pkg, folder := range map[string]string{"mp": "..", "thread": "."} {
		there := exported(t, folder)
		uses := regexp.MustCompile(`\b`+pkg+`\.([A-Z]\w*)(?:\.([A-Z]\w*))?`).FindAllStringSubmatch(string(guide), -1)
		if len(uses) < 10 {
			t.Fatalf("only %d names of %s found", len(uses), pkg)
		}
		for _, use := range uses {
			if !there[use[1]] || use[2] != "" && !there[use[2]] {
				t.Errorf("there is no %s", use[0])
			}
		}
	}
}
