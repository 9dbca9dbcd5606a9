package thread_test

import (
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
