//go:build linux

package testkit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// buildDir holds the programs that tests build. TestMain removes it.
var buildDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "mp-launch-") })

var built sync.Map // name to func() error

var buildUsed atomic.Bool

// Build builds a program of tests/testdata, once, from a test in a folder of tests, and returns its path.
func Build(t *testing.T, name string, env []string, flags ...string) string {
	t.Helper()
	NeedGo(t)
	buildUsed.Store(true)
	dir, err := buildDir()
	if err != nil {
		t.Fatal(err)
	}
	key := strings.ReplaceAll(strings.Join(append(append([]string{name}, env...), flags...), ""), "/", "")
	exe := filepath.Join(dir, key)
	build, _ := built.LoadOrStore(key, sync.OnceValue(func() error {
		cmd := exec.Command("go", append(append([]string{"build", "-o", exe}, flags...), "../testdata/"+name)...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	}))
	if err := build.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return exe
}

// NeedGo skips the test where there is no go command.
func NeedGo(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not in PATH: nothing can be built")
	}
}

// Command returns a command that is killed when it hangs.
func Command(t *testing.T, exe string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, exe, args...)
}

// Output runs a command that must succeed.
func Output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd, err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

func init() {
	builtIn = func() string {
		if !buildUsed.Load() {
			return ""
		}
		dir, _ := buildDir()
		return dir
	}
}
