//go:build linux

package pipe_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/gomultiprocessing/mp/internal/pipe"
	"go.uber.org/goleak"
)

// children are what a process does that a test starts: it has an end of a pipe.
var children = map[string]func(e *pipe.End) error{
	"echo": func(e *pipe.End) error {
		for {
			m, err := e.Receive(background, pipe.Bytes, -1)
			if err != nil {
				return err
			}
			if err := e.Send(background, pipe.Bytes, [][]byte{m.Data}, nil); err != nil {
				return err
			}
		}
	},
}

var background = context.Background()

func TestMain(m *testing.M) {
	if does := os.Getenv("PIPE_TEST_CHILD"); does != "" {
		e, err := pipe.Over(os.NewFile(3, "inherited"))
		if err == nil {
			err = children[does](e)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child starts a process that has the other end of the pipe; only that process has it.
func child(t testing.TB, does string) (*pipe.End, *exec.Cmd) {
	t.Helper()
	a, b, err := pipe.New(false)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "PIPE_TEST_CHILD="+does)
	cmd.ExtraFiles = []*os.File{b.File()}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		a.Close()
	})
	return a, cmd
}
