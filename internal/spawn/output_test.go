//go:build linux

package spawn_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["chatter"] = func(s *spawn.Self) { // whole lines, in pieces that end elsewhere
		text := ""
		for i := range 1000 {
			text += fmt.Sprintf("child %d line %d %s\n", s.Worker, i, strings.Repeat("x", i%100))
		}
		for len(text) > 0 {
			n := min(len(text), 37)
			os.Stdout.WriteString(text[:n])
			text = text[n:]
		}
	}
	helpers["partial"] = func(s *spawn.Self) {
		os.Stdout.WriteString("begun")
		fmt.Fprintln(s.Conn, "begun")
		s.Conn.Read(make([]byte, 1))
		os.Stdout.WriteString(" and ended\nno end")
	}
	helpers["wide chatter"] = func(s *spawn.Self) {
		for range 100 {
			os.Stdout.WriteString(strings.Repeat(string(rune('a'+s.Worker)), wide) + "\n")
		}
	}
	helpers["long line"] = func(s *spawn.Self) {
		os.Stdout.WriteString(strings.Repeat("x", 200_000) + "\nshort\n")
	}
	helpers["flood"] = func(s *spawn.Self) {
		for range 100 {
			os.Stdout.WriteString(strings.Repeat(strings.Repeat("y", 99)+"\n", 100))
		}
		fmt.Fprintln(s.Conn, "flooded")
	}
	helpers["both"] = func(s *spawn.Self) {
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
	}
	helpers["zeros"] = func(s *spawn.Self) { os.Stdout.Write([]byte("a\x00b\x00mp:c\n\x00mp:")) }
}

// writes records every write, and detects concurrent ones.
type writes struct {
	inside atomic.Int32
	twice  atomic.Bool
	pieces []string
}

func (w *writes) Write(p []byte) (int, error) {
	if w.inside.Add(1) != 1 {
		w.twice.Store(true)
	}
	w.pieces = append(w.pieces, string(p))
	w.inside.Add(-1)
	return len(p), nil
}

func TestLinesOfManyChildren(t *testing.T) {
	after := spawn.SetPartialAfter(time.Hour) // on a busy machine a child may be late with the rest of its line
	defer spawn.SetPartialAfter(after)
	tidy(t)
	var out writes
	var kids []*kid
	for i := range 8 {
		kids = append(kids, start(t, spawn.Spec{Name: "chatter", Worker: i, Stdout: &out}))
	}
	for _, k := range kids {
		if e := k.wait(); e.Code != 0 {
			t.Errorf("%+v", e)
		}
	}
	if out.twice.Load() {
		t.Error("two writes at once")
	}
	for _, p := range out.pieces {
		if !strings.HasSuffix(p, "\n") {
			t.Fatalf("the writer got %q", p)
		}
	}
	next := make([]int, 8)
	line := regexp.MustCompile(`^child (\d) line (\d+) (x*)\n$`)
	for s := range strings.Lines(strings.Join(out.pieces, "")) {
		if !line.MatchString(s) {
			t.Fatalf("mixed: %q", s)
		}
		var child, n int
		fmt.Sscanf(s, "child %d line %d", &child, &n)
		if next[child] != n {
			t.Fatalf("child %d: line %d, want %d", child, n, next[child])
		}
		next[child]++
	}
	for child, n := range next {
		if n != 1000 {
			t.Errorf("child %d: %d lines", child, n)
		}
	}
}

// Two descriptors of one pipe, as after 2>&1, are one destination.
func TestLinesOfManyDescriptors(t *testing.T) {
	tidy(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fd, err := syscall.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	again := os.NewFile(uintptr(fd), "again")
	var kids []*kid
	for i, out := range []*os.File{w, again, w, again} {
		kids = append(kids, start(t, spawn.Spec{Name: "wide chatter", Worker: i, Stdout: out}))
	}
	go func() {
		for _, k := range kids {
			<-k.Done()
		}
		w.Close()
		again.Close()
	}()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(all)) {
		if n++; line != strings.Repeat(line[:1], wide)+"\n" {
			t.Fatalf("mixed: %d bytes, %.20q", len(line), line)
		}
	}
	if n != 400 {
		t.Errorf("%d lines", n)
	}
	for _, k := range kids {
		k.wait()
	}
}

// wide is more than a pipe takes in one piece.
const wide = 7000

// What one child leaves without a newline becomes a line of its own when another child prints.
func TestUnfinishedLineIsEnded(t *testing.T) {
	after := spawn.SetPartialAfter(time.Hour)
	defer spawn.SetPartialAfter(after)
	tidy(t)
	var out buffer
	long := start(t, spawn.Spec{Name: "partial", Stdout: &out})
	long.line()
	short := start(t, spawn.Spec{Name: "partial", Stdout: &out})
	short.line()
	short.say("")
	short.wait()
	long.say("")
	long.wait()
	if want := "begun and ended\nno end\nbegun and ended\nno end"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestLongLine(t *testing.T) {
	tidy(t)
	var out writes
	k := start(t, spawn.Spec{Name: "long line", Stdout: &out})
	k.wait()
	if got := strings.Join(out.pieces, ""); got != strings.Repeat("x", 200_000)+"\nshort\n" {
		t.Errorf("%d bytes", len(got))
	}
	for i := range 3 {
		if len(out.pieces[i]) != 64<<10 {
			t.Errorf("piece %d has %d bytes", i, len(out.pieces[i]))
		}
	}
}

type failing struct {
	calls int
	panik bool
}

func (f *failing) Write([]byte) (int, error) {
	f.calls++
	if f.panik {
		panic("in Write")
	}
	return 0, errors.New("full")
}

func TestFailingWriterDoesNotStopTheChild(t *testing.T) {
	for _, out := range []*failing{{}, {panik: true}} {
		t.Run(fmt.Sprint(out.panik), func(t *testing.T) {
			tidy(t)
			k := start(t, spawn.Spec{Name: "flood", Stdout: out})
			if got := k.line(); got != "flooded" {
				t.Error(got)
			}
			if e := k.wait(); e.Code != 0 || out.calls < 2 {
				t.Errorf("%+v, %d calls", e, out.calls)
			}
		})
	}
}

type slow struct{ n int }

func (s *slow) Write(p []byte) (int, error) {
	if s.n == 0 {
		time.Sleep(400 * time.Millisecond) // longer than the wait for a pipe that is held open
	}
	s.n += len(p)
	return len(p), nil
}

func TestSlowWriterGetsAll(t *testing.T) {
	tidy(t)
	out := new(slow)
	k := start(t, spawn.Spec{Name: "chatter", Stdout: out})
	k.wait()
	if want := 1000*len("child 0 line  \n") + 10 + 2*90 + 3*900 + 10*99*50; out.n != want {
		t.Errorf("%d bytes, want %d", out.n, want)
	}
}

// funcs is not comparable.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestWriterThatCannotBeCompared(t *testing.T) {
	tidy(t)
	var out, errOut buffer
	k := start(t, spawn.Spec{Name: "both", Stdout: writerFunc(out.Write), Stderr: writerFunc(errOut.Write)})
	k.wait()
	if out.String() != "to stdout\n" || errOut.String() != "to stderr\n" {
		t.Errorf("%q, %q", out.String(), errOut.String())
	}
}

func TestDefaultIsOwnOutputAtStart(t *testing.T) {
	tidy(t)
	used.Store("both", true)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = w, w
	p, err := spawn.Start(spawn.Spec{Name: "both"})
	os.Stdout, os.Stderr = stdout, stderr
	if err != nil {
		t.Fatal(err)
	}
	defer p.Conn().Close()
	<-p.Done()
	w.Close()
	got, _ := io.ReadAll(r)
	if s := string(got); s != "to stdout\nto stderr\n" && s != "to stderr\nto stdout\n" {
		t.Errorf("%q", got)
	}
}

func TestZerosAreNoMarks(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "zeros", Stdout: &out})
	k.wait()
	if out.String() != "a\x00b\x00mp:c\n\x00mp:" {
		t.Errorf("%q", out.String())
	}
}
