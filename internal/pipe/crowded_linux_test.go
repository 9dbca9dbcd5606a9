package pipe_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/pipe"
)

// fewOnTheirWay has the kernel accept so many descriptors on their way, as it does of a user who
// is not root, while f runs.
func fewOnTheirWay(t *testing.T, n uint64, f func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		const same, nobody = ^uintptr(0), 65534
		if _, _, err := unix.RawSyscall(unix.SYS_SETRESUID, same, nobody, same); err != 0 {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// Too many descriptors on their way is no error as long as it may pass.
func TestDescriptorsOnTheirWay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can send more than that first")
	}
	a, b := newPipe(t)
	c, d := newPipe(t)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := a.Send(background, pipe.Value, nil, slices.Repeat([]*os.File{f}, 200)); err != nil {
		t.Fatal(err)
	}
	one := []*os.File{f}
	fewOnTheirWay(t, 100, func() {
		ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
		defer cancel()
		if err := c.Send(ctx, pipe.Value, nil, one); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		e, _ := newPipe(t)
		time.AfterFunc(20*time.Millisecond, func() { e.Close() })
		if err := e.Send(background, pipe.Value, nil, one); !errors.Is(err, carrier.ErrEndClosed) {
			t.Error(err)
		}
		time.AfterFunc(50*time.Millisecond, func() {
			a.Close()
			b.Close()
		})
		if err := c.Send(background, pipe.Value, nil, one); err != nil {
			t.Error(err)
		}
	})
	m, err := d.Receive(soon(5*time.Second), pipe.Value, -1)
	if err != nil || len(m.Files) != 1 {
		t.Fatal(m, err)
	}
	m.Files[0].Close()
}
