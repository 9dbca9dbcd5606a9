//go:build linux

package spawn_test

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// losses records what was lost.
type losses struct {
	mu    sync.Mutex
	bytes int64
	calls int
	why   error
}

func (l *losses) add(stream int, n int64, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes, l.why, l.calls = l.bytes+n, why, l.calls+1
}

// fails is a writer whose first calls do what they are told; later calls work.
type fails struct {
	buffer
	script []func(w *fails, b []byte) (int, error)
}

func (w *fails) Write(b []byte) (int, error) {
	if len(w.script) > 0 {
		next := w.script[0]
		w.script = w.script[1:]
		return next(w, b)
	}
	return w.buffer.Write(b)
}

func failing1(n int, err error) func(w *fails, b []byte) (int, error) {
	return func(w *fails, b []byte) (int, error) {
		w.buffer.Write(b[:n])
		return n, err
	}
}

// A writer that fails loses what it did not take. Later output is written.
func TestWriterThatFailsOnceIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		script []func(w *fails, b []byte) (int, error)
		want   string
		lost   int64
		why    string
	}{
		"error":        {[]func(*fails, []byte) (int, error){failing1(0, errors.New("broken"))}, "line 1\nline 2\n", 7, "broken"},
		"part":         {[]func(*fails, []byte) (int, error){failing1(3, errors.New("broken"))}, "lin\nline 1\nline 2\n", 4, "broken"},
		"disk is full": {[]func(*fails, []byte) (int, error){failing1(2, syscall.ENOSPC), failing1(0, syscall.ENOSPC)}, "li\nline 2\n", 12, "space"},
		"short":        {[]func(*fails, []byte) (int, error){failing1(3, nil)}, "lin\nline 1\nline 2\n", 4, "short write"},
		"impossible":   {[]func(*fails, []byte) (int, error){func(*fails, []byte) (int, error) { return math.MaxInt, nil }}, "line 1\nline 2\n", 7, "an invalid count"},
		"panic":        {[]func(*fails, []byte) (int, error){func(*fails, []byte) (int, error) { panic("oh") }}, "line 1\nline 2\n", 7, "panicked: oh"},
		"Goexit": {[]func(*fails, []byte) (int, error){func(*fails, []byte) (int, error) {
			runtime.Goexit()
			return 0, nil
		}}, "line 1\nline 2\n", 7, "Goexit"},
		"EAGAIN": {[]func(*fails, []byte) (int, error){
			failing1(0, syscall.EAGAIN), failing1(2, syscall.EAGAIN), failing1(0, &os.PathError{Err: syscall.EAGAIN}),
		}, "line 0\nline 1\nline 2\n", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tidy(t)
			out := &fails{script: c.script}
			var lost losses
			k := start(t, spawn.Spec{Name: "rounds", Stdout: out, Lost: lost.add})
			for range 3 {
				tell(k, "l")
				if k.FlushOutput(patience) {
					t.Error("late")
				}
			}
			if out.String() != c.want {
				t.Errorf("%q, want %q", out.String(), c.want)
			}
			lost.mu.Lock()
			if lost.bytes != c.lost || c.why != "" && !strings.Contains(fmt.Sprint(lost.why), c.why) {
				t.Errorf("%d bytes lost: %v; want %d", lost.bytes, lost.why, c.lost)
			}
			lost.mu.Unlock()
			k.Conn().Close()
			k.wait()
		})
	}
}

// Lines after one that did not fit may be short enough.
func TestDiskFullLosesNoMoreThanItMust(t *testing.T) {
	tidy(t)
	out := &fails{}
	room := 1000
	full := func(w *fails, b []byte) (int, error) {
		n := min(room, len(b))
		room -= n
		w.buffer.Write(b[:n])
		if n < len(b) {
			room = 1 << 20 // make space
			return n, syscall.ENOSPC
		}
		return n, nil
	}
	for range 100 {
		out.script = append(out.script, full)
	}
	var lost losses
	k := start(t, spawn.Spec{Name: "rounds", Stdout: out, Lost: lost.add})
	tell(k, "m")
	k.FlushOutput(patience)
	line := len("many 0 \n") + 60
	lines := strings.SplitAfter(out.String(), "\n")
	whole := 0
	for _, l := range lines {
		if len(l) == line {
			whole++
		}
	}
	if whole != 1999 || lost.bytes <= 0 || lost.bytes > int64(line) {
		t.Errorf("%d whole lines of 2000, %d bytes lost", whole, lost.bytes)
	}
	k.Conn().Close()
	k.wait()
}

// A nonblocking pipe is waited for like a blocking one.
func TestNonblockingPipeLosesNothing(t *testing.T) {
	tidy(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd, err := syscall.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	out := os.NewFile(uintptr(fd), "blocking once") // as the netpoller sees it
	defer out.Close()
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	var lost losses
	k := start(t, spawn.Spec{Name: "rounds", Stdout: out, Lost: lost.add})
	if _, err := k.Conn().Write([]byte("mm")); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(r)
	for i := range 4000 {
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), fmt.Sprint("many ", i/2000, " m")) {
			t.Fatalf("line %d: %q", i, lines.Text())
		}
	}
	if lost.calls > 0 {
		t.Errorf("%d bytes lost: %v", lost.bytes, lost.why)
	}
	k.Conn().Close()
	k.wait()
}
