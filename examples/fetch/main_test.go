package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// noSleep is for programs built with -race: else each sleeps for a second at its end.
const noSleep = "GORACE=atexit_sleep_ms=0"

// The test binary is the program, too: under the name fetch.
func TestMain(m *testing.M) {
	testscript.Main(leaks{m}, map[string]func(){"fetch": main})
}

// leaks looks for goroutines that the tests have left.
type leaks struct{ *testing.M }

func (l leaks) Run() int {
	code := l.M.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// ran is how a run of the program in this process ended.
type ran struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, args ...string) ran { return runWith(t, "", args...) }

func runWith(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := program(args, strings.NewReader(stdin), &stdout, &stderr)
	t.Logf("exit code %d\n%s%s", code, &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

// wants says how the run must have ended, and what its lines must match, in their order.
func (r ran) wants(t *testing.T, code int, lines ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	got := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
	if r.stdout == "" {
		got = nil
	}
	if len(got) != len(lines) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(lines), r.stdout)
	}
	for i, want := range lines {
		if !regexp.MustCompile("^" + want + "$").MatchString(got[i]) {
			t.Errorf("line %d is %q, want %s", i+1, got[i], want)
		}
	}
}

// serve starts a server for the time of the test.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const seconds = `[0-9]+\.[0-9]{3}`
