//go:build linux

package spawn_test

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["capture"] = func(s *spawn.Self) {
		fmt.Print("before ")
		fmt.Fprint(os.Stderr, "err before\n")
		check(s.BeginCapture(1, 1000))
		fmt.Print("inside\n")
		fmt.Fprint(os.Stderr, "err inside\n")
		cmd := exec.Command("echo", "of another program")
		cmd.Stdout = os.Stdout
		check(cmd.Run())
		check(s.EndCapture(1))
		fmt.Print("after\n")
		check(s.BeginCapture(math.MaxUint64, 10))
		fmt.Print(strings.Repeat("x", 1_000_000), "the end!!\n")
		check(s.EndCapture(math.MaxUint64))
		fmt.Fprintln(s.Conn, "done")
		io.Copy(io.Discard, s.Conn)
	}
	helpers["captured death"] = func(s *spawn.Self) {
		check(s.BeginCapture(7, 1<<20))
		fmt.Println("last print")
		panic("in a capture")
	}
	helpers["open capture"] = func(s *spawn.Self) {
		check(s.BeginCapture(5, -1))
		check(s.BeginCapture(6, math.MaxInt))
		fmt.Println("some")
		fmt.Fprintln(s.Conn, "printed")
		s.Conn.Read(make([]byte, 1))
		fmt.Println("more")
		check(s.EndCapture(6))
		check(s.EndCapture(5))
		fmt.Println("outside")
	}
	helpers["many captures"] = func(s *spawn.Self) {
		for id := range uint64(100) {
			check(s.BeginCapture(id, 100))
			fmt.Println(id)
			check(s.EndCapture(id))
		}
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func TestCapture(t *testing.T) {
	tidy(t)
	var out, errOut buffer
	k := start(t, spawn.Spec{Name: "capture", Stdout: &out, Stderr: &errOut})
	stdout, stderr, ok := k.TakeCapture(1, patience)
	if string(stdout) != "inside\nof another program\n" || string(stderr) != "err inside\n" || !ok {
		t.Errorf("%q %q %v", stdout, stderr, ok)
	}
	if k.line() != "done" {
		t.Error("not done")
	}
	stdout, stderr, ok = k.TakeCapture(math.MaxUint64, patience)
	if string(stdout) != "the end!!\n" || len(stderr) != 0 || !ok {
		t.Errorf("%q %q %v", stdout, stderr, ok)
	}
	if _, _, ok := k.TakeCapture(1, 0); ok {
		t.Error("it was not forgotten")
	}
	k.Conn().Close()
	e := k.wait()
	if out.String() != "before after\n" || errOut.String() != "err before\n" {
		t.Errorf("passed on: %q, %q", out.String(), errOut.String())
	}
	if e.Stderr != "err before\nerr inside\n" {
		t.Errorf("last words: %q", e.Stderr)
	}
}

func TestDeathInACapture(t *testing.T) {
	tidy(t)
	var out, errOut buffer
	k := start(t, spawn.Spec{Name: "captured death", Stdout: &out, Stderr: &errOut})
	stdout, stderr, ok := k.TakeCapture(7, patience)
	if string(stdout) != "last print\n" || !strings.HasPrefix(string(stderr), "panic: in a capture\n") || !ok {
		t.Errorf("%q %q %v", stdout, stderr, ok)
	}
	if e := k.wait(); e.Reason != "panic: in a capture" || e.Stderr != string(stderr) {
		t.Errorf("%+v", e)
	}
	if out.String()+errOut.String() != "" {
		t.Errorf("passed on: %q, %q", out.String(), errOut.String())
	}
}

func TestCaptureTakenEarly(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "open capture", Stdout: &out})
	k.line()
	begin := time.Now()
	stdout, _, ok := k.TakeCapture(6, 2*time.Second)
	if string(stdout) != "some\n" || !ok {
		t.Errorf("%q %v", stdout, ok)
	}
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("waited for %v", took)
	}
	if _, _, ok := k.TakeCapture(99, 0); ok {
		t.Error("there is no such capture")
	}
	k.say("")
	k.wait()
	if stdout, stderr, ok := k.TakeCapture(5, patience); len(stdout)+len(stderr) != 0 || !ok {
		t.Errorf("%q %q %v", stdout, stderr, ok)
	}
	if _, _, ok := k.TakeCapture(99, patience); ok {
		t.Error("there is no such capture")
	}
	if out.String() != "outside\n" {
		t.Errorf("passed on: %q", out.String())
	}
}

func TestCapturesNobodyTakesAreDropped(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "many captures"})
	k.wait()
	for id := range uint64(100) {
		stdout, _, ok := k.TakeCapture(id, 0)
		if ok != (id >= 36) || ok && string(stdout) != fmt.Sprintln(id) {
			t.Errorf("%d: %q %v", id, stdout, ok)
		}
	}
}
