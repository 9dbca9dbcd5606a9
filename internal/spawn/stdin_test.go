//go:build linux

package spawn_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["read stdin"] = func(s *spawn.Self) {
		b, err := io.ReadAll(os.Stdin)
		fmt.Fprintf(s.Conn, "%q %v\n", b, err)
	}
}

type panicking struct{ read bool }

func (p *panicking) Read(b []byte) (int, error) {
	if p.read {
		panic("no more")
	}
	p.read = true
	return copy(b, "some"), nil
}

// A reader that panics ends the child's input, and not this program.
func TestStdinThatPanics(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "read stdin", Stdin: new(panicking)})
	if got := k.line(); got != `"some" <nil>` {
		t.Error(got)
	}
	k.wait()
}

// A terminal cannot be passed on: the child would be stopped when it reads.
func TestStdinIsATerminal(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip("no terminals here: ", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	terminal, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer terminal.Close()
	p, err := spawn.Start(spawn.Spec{Name: "read stdin", Stdin: terminal})
	if p != nil || err == nil || !strings.Contains(err.Error(), "Stdin is a terminal") {
		t.Errorf("%v", err)
	}
}
