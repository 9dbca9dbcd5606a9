//go:build linux

package process_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// TestRunByLoader: a dynamic program that is run by an explicit loader, as bundles do. To the kernel the
// loader is the program.
func TestRunByLoader(t *testing.T) {
	t.Parallel()
	loaders, _ := filepath.Glob("/lib64/ld-linux-*.so.*")
	if len(loaders) == 0 {
		t.Skip("no dynamic loader in /lib64")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler: a dynamic program cannot be linked")
	}
	ld, exe := loaders[0], testkit.Build(t, "env", []string{"CGO_ENABLED=1"}, "-ldflags=-linkmode=external")
	run := func(words ...string) {
		t.Helper()
		cmd := testkit.Command(t, ld, words...)
		cmd.Dir = filepath.Dir(exe)
		launchOK(t, cmd)
	}
	relative := "./" + filepath.Base(exe)
	run(exe, "args", "a b", "")
	run(relative, "args")
	run("--library-path", "/lib:/usr/lib", relative, "args", "x")
	run(relative, "title", "a b")
	run(relative, "chdir")
	if out, _ := exec.Command(ld, "--help").Output(); len(out) > 0 && bytes.Contains(out, []byte("--argv0")) {
		run("--argv0", "another name", relative, "args", "x")
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(t.TempDir(), "gone")
	if err := os.WriteFile(gone, b, 0o755); err != nil {
		t.Fatal(err)
	}
	run(gone, "gone", gone)
}
