//go:build linux

package pool_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// outputRuns is how often a program is run that must never lose a line.
func outputRuns() int { return testkit.Times(15, 500) }

// outputOf runs the program of tests/testdata/output with its stdout, and stderr if both, in a pipe.
func outputOf(t *testing.T, both bool, args ...string) string {
	t.Helper()
	cmd := testkit.Command(t, testkit.Build(t, "output", nil), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if both {
		cmd.Stderr = &out // the same writer: os/exec makes one pipe of it
	}
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
	if err := cmd.Run(); err != nil && len(args) < 2 {
		t.Fatalf("%v: %v\n%s%s", args, err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

// However main ends, what the tasks printed is there, and before what main printed about them.
func TestOutputIsThereHoweverMainEnds(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	for i := range 5 {
		fmt.Fprintf(&want, "worker %d\nmain %d\n", i, i)
	}
	for _, end := range []string{"close", "exit", "fatal", "panic"} {
		t.Run(end, func(t *testing.T) {
			for range outputRuns() {
				if got := outputOf(t, false, "apply", end); got != want.String() {
					t.Fatalf("%s", got)
				}
			}
		})
	}
}

func TestOutputOfMapIsThereHoweverMainEnds(t *testing.T) {
	t.Parallel()
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprint("worker ", i))
	}
	slices.Sort(want)
	for _, end := range []string{"close", "exit", "fatal", "panic"} {
		t.Run(end, func(t *testing.T) {
			for range outputRuns() {
				got := strings.Split(strings.TrimSuffix(outputOf(t, false, "map", end), "\n"), "\n")
				if last := got[len(got)-1]; last != "main <nil>" {
					t.Fatalf("%q comes last", last)
				}
				got = got[:len(got)-1]
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Fatalf("%q", got)
				}
			}
		})
	}
}

// Stdout and stderr that lead to one place come in the order in which they were written.
func TestOutputStreamsToOnePlace(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	for n := range 5 {
		for i := range 3 {
			fmt.Fprintf(&want, "out %d %d\nerr %d %d\n", n, i, n, i)
		}
		fmt.Fprintln(&want, "main", n)
	}
	for range outputRuns() {
		if got := outputOf(t, true, "streams"); got != want.String() {
			t.Fatalf("%s", got)
		}
	}
}

// The same is true of Call and Start, of calls within tasks, and of prompts.
func TestOutputOfProcessesAndPrompts(t *testing.T) {
	t.Parallel()
	for mode, line := range map[string]string{
		"call": "worker %[1]d\nmain %[1]d\n", "start": "worker %[1]d\nmain %[1]d <nil>\n",
		"nested": "worker %[1]d\nmain %[1]d\n", "ask": "how many%[1]d? main %[1]d\n",
	} {
		t.Run(mode, func(t *testing.T) {
			want := ""
			for i := range 3 {
				want += fmt.Sprintf(line, i)
			}
			for range testkit.Times(3, 100) {
				if got := outputOf(t, false, mode); got != want {
					t.Fatalf("%q, want %q", got, want)
				}
			}
		})
	}
}
