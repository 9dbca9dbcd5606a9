package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/gomultiprocessing/mp"
)

// noSleep is for programs built with -race: else each sleeps for a second at its end.
const noSleep = "atexit_sleep_ms=0"

// The test binary is the program, too: under the name crawl. In both, and in their workers,
// some pages are worse than HTML can be.
func TestMain(m *testing.M) {
	parse = parseTrap
	mp.Main()
	os.Setenv("GORACE", noSleep)
	testscript.Main(leaks{m}, map[string]func(){"crawl": main})
}

// What a page can hold for parseTrap: it ends its parser, or has it ask for a URL first.
const killer = "<!--ends its parser-->"

var holder = regexp.MustCompile(`<!--asks for (\S+)-->`)

func parseTrap(ctx context.Context, p page) (parsed, error) {
	if bytes.Contains(p.Body, []byte(killer)) {
		os.Exit(7)
	}
	if m := holder.FindSubmatch(p.Body); m != nil {
		resp, err := http.Get(string(m[1]))
		if err != nil {
			return parsed{}, err
		}
		resp.Body.Close()
	}
	return parseHTML(ctx, p)
}

// leaks looks for goroutines that the tests have left.
type leaks struct{ *testing.M }

func (l leaks) Run() int {
	code := l.M.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// run runs the program in this process. Its pages are by path and query.
func run(t *testing.T, code int, args ...string) (pages map[string]record, stderr string) {
	t.Helper()
	var stdout, said strings.Builder
	if got := program(args, &stdout, &said); got != code {
		t.Errorf("exit code %d, want %d:\n%s", got, code, said.String())
	}
	return records(t, stdout.String()), said.String()
}

// records reads lines, each of which must be whole and about another page.
func records(t *testing.T, lines string) map[string]record {
	t.Helper()
	pages := make(map[string]record)
	for line := range strings.Lines(lines) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("%q is no line: %v", line, err)
		}
		name := "/" + strings.SplitN(r.URL, "/", 4)[3]
		if _, ok := pages[name]; ok {
			t.Errorf("%s comes twice", name)
		}
		pages[name] = r
	}
	return pages
}

// serve starts a server for the time of the test.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// pages serves a page with links for each path that is given, and nothing else.
func pages(t *testing.T, links map[string]string) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, ok := links[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		writePage(w, r.URL.Path, strings.Fields(body)...)
	})
}

func writePage(w http.ResponseWriter, title string, links ...string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><title>%s</title>", title)
	for _, l := range links {
		fmt.Fprintf(w, "<p><a href='%s'>there</a>", l)
	}
}

// names says which pages there must be.
func names(t *testing.T, got map[string]record, want string) {
	t.Helper()
	all := strings.Fields(want)
	for _, name := range all {
		if _, ok := got[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
	if len(got) != len(all) {
		t.Errorf("%d pages, want %s: %v", len(got), want, got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
