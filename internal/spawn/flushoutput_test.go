//go:build linux

package spawn_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["rounds"] = func(s *spawn.Self) { // prints something when told to
		buf := make([]byte, 1)
		for i := 0; ; i++ {
			if n, _ := s.Conn.Read(buf); n == 0 {
				return
			}
			switch buf[0] {
			case 'l':
				fmt.Println("line", i)
			case 'p':
				fmt.Print("prompt ", i, "? ")
			case 'm':
				for range 2000 {
					fmt.Println("many", i, strings.Repeat("m", 60))
				}
			case 'z':
				fmt.Print("zero\x00")
			case 's':
				syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			}
			fmt.Fprintln(s.Conn, "done")
		}
	}
	helpers["leaves a flood"] = func(s *spawn.Self) {
		fmt.Println("first")
		cmd := exec.Command("yes", "flood")
		cmd.Stdout = os.Stdout
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		check(cmd.Start())
		fmt.Fprintln(s.Conn, "flooding")
		s.Conn.Read(make([]byte, 1))
	}
}

// tell makes a child print something, and waits until it has.
func tell(k *kid, what string) {
	k.t.Helper()
	if _, err := k.Conn().Write([]byte(what)); err != nil {
		k.t.Fatal(err)
	}
	for range what {
		if got := k.line(); got != "done" {
			k.t.Fatal(got)
		}
	}
}

func TestFlushOutputIsAfterWhatWasPrinted(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "rounds", Stdout: &out})
	want := ""
	for i := range 300 {
		tell(k, "l")
		want += fmt.Sprintln("line", i)
		if k.FlushOutput(patience) {
			t.Fatal("late")
		}
		if got := out.String(); got != want {
			t.Fatalf("round %d: %d bytes, want %d", i, len(got), len(want))
		}
	}
	tell(k, "m")
	if k.FlushOutput(patience) || strings.Count(out.String(), "many 300") != 2000 {
		t.Errorf("%d lines of 2000", strings.Count(out.String(), "many 300"))
	}
	k.Conn().Close()
	k.wait()
	if k.FlushOutput(patience) {
		t.Error("late after the end")
	}
}

// An incomplete line is written without waiting for its end.
func TestFlushOutputTakesWhatHasNoEnd(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "rounds", Stdout: &out})
	want := ""
	for i, text := range []string{"prompt 0? ", "line 1\n", "prompt 2? ", "prompt 3? ", "zero\x00"} {
		tell(k, text[:1])
		want += text
		if k.FlushOutput(patience) || out.String() != want {
			t.Fatalf("round %d: %q, want %q", i, out.String(), want)
		}
	}
	k.Conn().Close()
	k.wait()
}

func TestPartialLineComesOutByItself(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "rounds", Stdout: &out})
	begin := time.Now()
	tell(k, "p")
	eventually(t, patience, "the prompt", func() bool { return out.String() == "prompt 0? " })
	if took := time.Since(begin); took < 90*time.Millisecond {
		t.Errorf("after %v: its end may have been on its way", took)
	}
	tell(k, "l")
	eventually(t, patience, "the line", func() bool { return out.String() == "prompt 0? line 1\n" })
	k.Conn().Close()
	k.wait()
}

// A child is stopped, or killed, in the middle of a line.
func TestPartialLineOfAStoppedChild(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "rounds", Stdout: &out})
	tell(k, "l")
	if _, err := k.Conn().Write([]byte("ps")); err != nil {
		t.Fatal(err)
	}
	k.line()
	if k.FlushOutput(patience) || out.String() != "line 0\nprompt 1? " {
		t.Errorf("%q", out.String())
	}
	k.Kill()
	k.wait()
	if out.String() != "line 0\nprompt 1? " {
		t.Errorf("after its death: %q", out.String())
	}
}

// gate is a writer that blocks while it is closed.
type gate struct {
	buffer
	open chan struct{}
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	return g.buffer.Write(b)
}

func TestFlushOutputDoesNotWaitForEver(t *testing.T) {
	tidy(t)
	out := &gate{open: make(chan struct{})}
	k := start(t, spawn.Spec{Name: "rounds", Stdout: out})
	tell(k, "l")
	if !k.FlushOutput(20 * time.Millisecond) {
		t.Error("nothing can have been written")
	}
	tell(k, "l")
	begin := time.Now()
	if k.FlushOutput(time.Hour) { // while the writer makes no progress, no further call waits for it
		t.Error("that was said already")
	}
	if took := time.Since(begin); took > within(time.Second) {
		t.Errorf("it took %v", took)
	}
	close(out.open)
	eventually(t, patience, "both lines", func() bool { return out.String() == "line 0\nline 1\n" })
	tell(k, "l")
	if k.FlushOutput(patience) || out.String() != "line 0\nline 1\nline 2\n" {
		t.Errorf("%q", out.String())
	}
	k.Conn().Close()
	k.wait()
}

// A process left by the child holds the pipe and goes on printing. FlushOutput waits only for
// what was printed before.
func TestFlushOutputBesideAFlood(t *testing.T) {
	tidy(t)
	out := new(counted)
	k := start(t, spawn.Spec{Name: "leaves a flood", Stdout: out})
	k.line()
	for range 20 {
		if k.FlushOutput(patience) {
			t.Error("late")
		}
	}
	k.Kill()
	k.wait()
	if !strings.HasPrefix(string(out.first), "first\n") {
		t.Errorf("%q", out.first)
	}
}

// counted keeps the beginning of what is written.
type counted struct{ first []byte }

func (c *counted) Write(b []byte) (int, error) {
	time.Sleep(time.Millisecond) // slower than the flood
	c.first = append(c.first, b[:min(len(b), 100-min(100, len(c.first)))]...)
	return len(b), nil
}

// The usual check allocates nothing, and does not get slower with the number of children.
func TestFlushOutputCostsOneLook(t *testing.T) {
	tidy(t)
	kids := []*kid{start(t, spawn.Spec{Name: "rounds"})}
	look := func() time.Duration {
		best := time.Hour
		for range 20 {
			begin := time.Now()
			for range 1000 {
				kids[0].FlushOutput(patience)
			}
			best = min(best, time.Since(begin))
		}
		return best / 1000
	}
	tell(kids[0], "l")
	kids[0].FlushOutput(patience)
	if n := testing.AllocsPerRun(100, func() { kids[0].FlushOutput(patience) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	one := look()
	for range 40 {
		k := start(t, spawn.Spec{Name: "rounds"})
		tell(k, "l")
		kids = append(kids, k)
	}
	if many := look(); many > 2*one && many > within(time.Microsecond) {
		t.Errorf("%v beside 40 children, %v alone", many, one)
	}
	for _, k := range kids {
		k.Conn().Close()
		k.wait()
	}
}
