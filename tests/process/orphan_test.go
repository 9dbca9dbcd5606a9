//go:build linux

package process_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// orphanCount counts the processes that have a word in their environment.
func orphanCount(word string) (n int, list string) {
	envs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, env := range envs {
		if b, err := os.ReadFile(env); err == nil && bytes.Contains(b, []byte(word)) {
			n++
			comm, _ := os.ReadFile(filepath.Join(filepath.Dir(env), "comm"))
			list += filepath.Dir(env) + " " + string(comm)
		}
	}
	return n, list
}

// TestOrphans: when main ends, in whatever way, with endless loops, grandchildren, a
// stopped child and what a child has started, nothing is left.
func TestOrphans(t *testing.T) {
	testkit.Beside(t)
	exe := testkit.Build(t, "prog", nil)
	const all = 8 // main, spin, nest, its spin and sleep, the sleep command, stop, await
	for name, end := range map[string]func(*exec.Cmd) error{
		"SIGKILL": func(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGKILL) },
		"SIGTERM": func(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":  func(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGINT) },
		"return":  nil,
		"exit":    nil,
		"panic":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			word := fmt.Sprintf("MP_ORPHAN_TEST=%s-%d", name, time.Now().UnixNano())
			cmd := testkit.Command(t, exe, "tree", name)
			cmd.Env = append(os.Environ(), word)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for late := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
				n, list := orphanCount(word)
				if n == all {
					break
				}
				if time.Now().After(late) {
					t.Fatalf("%d processes, want %d\n%s", n, all, list)
				}
			}
			if end == nil {
				in.Close()
			} else if err := end(cmd); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			begin := time.Now()
			for late := begin.Add(testkit.Within(time.Second)); ; time.Sleep(5 * time.Millisecond) {
				n, list := orphanCount(word)
				if n == 0 {
					break
				}
				if time.Now().After(late) {
					t.Fatalf("%d processes are left\n%s", n, list)
				}
			}
		})
	}
}
