//go:build linux

package pipe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// wires are the kinds of things that Select takes by Readable: what is read, and what makes it readable.
var wires = map[string]func(t *testing.T) (r any, write func()){
	"tcp":           func(t *testing.T) (any, func()) { return netWire(t, "tcp", "127.0.0.1:0") },
	"unix":          func(t *testing.T) (any, func()) { return netWire(t, "unix", filepath.Join(t.TempDir(), "socket")) },
	"os.Pipe":       func(t *testing.T) (any, func()) { return pipeWire(t, false) },
	"blocking pipe": func(t *testing.T) (any, func()) { return pipeWire(t, true) },
	"listener": func(t *testing.T) (any, func()) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l, func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	},
}

func netWire(t *testing.T, network, address string) (r net.Conn, write func()) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	r, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, func() { io.WriteString(w, "x") }
}

func pipeWire(t *testing.T, blocking bool) (any, func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	if blocking {
		r.Fd() // sets it to blocking, as os.Stdin mostly is
	}
	return r, func() { io.WriteString(w, "x") }
}

func TestSelectOfReadable(t *testing.T) {
	t.Parallel()
	for name, wire := range wires {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, write := wire(t)
			e := newEvent(t)
			all := []mp.Selectable{e, mp.Readable(r), mp.Readable(r)}
			if ready, err := mp.Select(testkit.Cancelled(), all...); ready != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("nothing is ready, and Select says %v, %v", ready, err)
			}
			var writer sync.WaitGroup
			writer.Go(write)
			if _, err := mp.Select(testkit.Ctx(t), all...); err != nil { // both, or the one that was looked at last
				t.Fatal(err)
			}
			writer.Wait()
			for range 100 { // it takes nothing
				if ready, err := mp.Select(testkit.Ctx(t), all...); !slices.Equal(ready, []int{1, 2}) || err != nil {
					t.Fatalf("ready are %v, %v", ready, err)
				}
			}
			if ready, err := mp.Select(testkit.Cancelled(), all...); !slices.Equal(ready, []int{1, 2}) || err != nil {
				t.Errorf("it looks before its ctx: %v, %v", ready, err)
			}
		})
	}
}

// Others read while Select waits, with deadlines of their own, and go on when it has returned.
func TestSelectOfReadableHoldsNothing(t *testing.T) {
	t.Parallel()
	r, write := netWire(t, "tcp", "127.0.0.1:0")
	e := newEvent(t)
	var waiters, readers sync.WaitGroup
	for range 8 {
		waiters.Go(func() {
			if ready, err := mp.Select(testkit.Ctx(t), mp.Readable(r), e); err != nil || len(ready) == 0 {
				t.Error(ready, err)
			}
		})
	}
	for range 4 {
		readers.Go(func() {
			if n, err := r.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
	}
	for range 4 {
		write()
	}
	readers.Wait()
	e.Set()
	waiters.Wait()
}

func TestSelectOfReadableEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(r, w *os.File){
		"the other end is closed": func(_, w *os.File) { w.Close() },
		"it is closed itself":     func(r, _ *os.File) { r.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			done := make(chan error, 1)
			go func() {
				ready, err := mp.Select(testkit.Ctx(t), mp.Readable(r), newEvent(t))
				if err == nil && !slices.Equal(ready, []int{0}) {
					t.Errorf("ready are %v", ready)
				}
				done <- err
			}()
			end(r, w)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if ready, err := mp.Select(testkit.Ctx(t), mp.Readable(r)); err != nil && !errors.Is(err, os.ErrClosed) || err == nil && len(ready) != 1 {
				t.Errorf("afterwards: %v, %v", ready, err)
			}
		})
	}
}

func TestSelectOfAFileThatNeverBlocks(t *testing.T) {
	t.Parallel()
	f, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if ready, err := mp.Select(testkit.Ctx(t), newEvent(t), mp.Readable(f)); !slices.Equal(ready, []int{1}) || err != nil {
		t.Errorf("%v, %v", ready, err)
	}
}

func TestSelectRefusesWhatHasNoDescriptor(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	var none *os.File
	for name, c := range map[string]struct {
		r    any
		want string
	}{
		"nothing":    {nil, "number 1 (of 2, from 0): Readable(nil)"},
		"nil file":   {none, "Readable(nil)"},
		"tls":        {tls.Client(a, &tls.Config{}), "*tls.Conn, which has no descriptor"},
		"net.Pipe":   {a, "*net.pipe, which has no descriptor"},
		"a buffered": {bufio.NewReader(a), "*bufio.Reader, which has no descriptor"},
	} {
		if _, err := mp.Select(testkit.Ctx(t), newEvent(t), mp.Readable(c.r)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSelectOfManyConnections(t *testing.T) {
	t.Parallel()
	const n = 200
	var all []mp.Selectable
	var writes []func()
	for range n {
		r, write := pipeWire(t, false)
		all, writes = append(all, mp.Readable(r)), append(writes, write)
	}
	for i := range n {
		go writes[n-1-i]()
		ready, err := mp.Select(testkit.Ctx(t), all[:n-i]...)
		if err != nil || !slices.Equal(ready, []int{n - 1 - i}) {
			t.Fatalf("ready are %v, %v, want %d", ready, err, n-1-i)
		}
	}
}
