//go:build linux

package pipe_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/pipe"
)

// Descriptors travel with their messages, any number of them.
func TestFiles(t *testing.T) {
	a, b := newPipe(t)
	for _, n := range []int{1, 2, fdpass.Max} {
		var files []*os.File
		for range n {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			w.Close()
			files = append(files, r)
		}
		done := make(chan error, 1)
		go func() {
			done <- a.Send(background, pipe.Value, [][]byte{make([]byte, 100_000)}, files)
		}()
		m, err := b.Receive(background, pipe.Value, -1)
		if err != nil || len(m.Files) != n {
			t.Fatalf("%d files, %v; not %d", len(m.Files), err, n)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for i, f := range m.Files {
			was, _ := files[i].Stat()
			is, err := f.Stat()
			if err != nil || !os.SameFile(was, is) {
				t.Fatalf("file %d is another one: %v", i, err)
			}
			f.Close()
			files[i].Close()
		}
	}
}

func TestTooManyFiles(t *testing.T) {
	a, _ := newPipe(t)
	if err := a.Send(background, pipe.Value, nil, make([]*os.File, fdpass.Max+1)); !errors.Is(err, pipe.ErrTooMany) {
		t.Error(err)
	}
}

// In a process that may open no more the message stays whose descriptors it cannot have, and it is
// told why.
func TestMessageStaysWithoutDescriptors(t *testing.T) {
	a, b := newPipe(t)
	mustSend(t, a, "")
	mustReceive(t, b, "") // nothing has to be opened for that any more
	files := make([]*os.File, 200)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for i := range files {
		files[i] = null
	}
	if err := a.Send(background, pipe.Value, [][]byte{[]byte("kept")}, files); err != nil {
		t.Fatal(err)
	}
	mustSend(t, a, "next")
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	few := was
	few.Cur = 60
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &was)
	for range 3 {
		if _, err := b.Receive(background, pipe.Value, -1); !errors.Is(err, pipe.ErrNoDescriptors) || !errors.Is(err, syscall.EMFILE) {
			t.Error(err)
		}
		if err := b.Poll(background); err != nil || !b.Ready() {
			t.Error("the message is not there any more:", err)
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	m, err := b.Receive(background, pipe.Value, -1)
	if err != nil || string(m.Data) != "kept" || len(m.Files) != len(files) {
		t.Error(string(m.Data), len(m.Files), err)
	}
	for _, f := range m.Files {
		f.Close()
	}
	mustReceive(t, b, "next")
}
