//go:build linux

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// A process that holds the output of a worker that was killed holds up nothing.
func TestHostileHoldersOfOutput(t *testing.T) {
	t.Parallel()
	if testkit.Race {
		t.Skip("the race detector takes longer than the wait that there must not be")
	}
	least := time.Hour
	for range 20 {
		p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: mp.NoGrace})
		start := time.Now()
		_, err := mp.Apply(poolCtx(t), p, hostileHolds, hostileHold{"leaves its pipes to others", filepath.Join(t.TempDir(), "begun")},
			mp.Timeout(60*time.Millisecond))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		least = min(least, time.Since(start))
		p.Terminate()
		if least < 140*time.Millisecond { // it was 160 at least
			return
		}
	}
	t.Errorf("it took %v", least)
}

// hostileMute reads nothing from the control socket, and asks to be told of room again and again.
var hostileMute = mp.Register("hostile/mute", func(_ context.Context, begun string) (int, error) {
	others, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return 0, err
	}
	socket, err := syscall.Dup(3)
	if err != nil {
		return 0, err
	}
	unix.Dup2(others[0], 3)
	bell := make([]byte, 16)
	bell[8] = 8
	bells := bytes.Repeat(bell, 100)
	hostilePage(func(page []byte) {
		go func() {
			for {
				hostileWord(page, 256).Store(1)
			}
		}()
		for n := 0; ; {
			if _, err := syscall.Write(socket, bells); err != nil {
				continue
			}
			if n++; n == 3000 {
				os.WriteFile(begun, nil, 0o600)
			}
		}
	})
	return 0, nil
})

// What a worker does not read does not pile up in the process that it belongs to.
func TestHostileMute(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	begun := filepath.Join(t.TempDir(), "begun")
	r := mp.ApplyAsync(poolCtx(t), p, hostileMute, begun)
	testkit.Until(t, "it has rung often", func() bool { _, err := os.Stat(begun); return err == nil || r.Ready() })
	if n := testkit.GoroutinesIn("internal/proc/host.(*Worker)."); n > 500 {
		t.Errorf("%d goroutines", n)
	}
	p.Terminate()
	if _, err := r.Get(poolCtx(t)); !errors.Is(err, mp.ErrTerminated) {
		t.Error(err)
	}
}

// While a writer blocks, what tasks do not print leaves nothing behind.
func TestHostileWriterKeepsNoGoroutines(t *testing.T) {
	t.Parallel()
	w := &hostileWriter{entered: make(chan struct{}), leave: make(chan struct{})}
	defer close(w.leave)
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stdout: w})
	if _, err := mp.Apply(poolCtx(t), p, hostilePrint, "hello\n"); err != nil {
		t.Fatal(err)
	}
	<-w.entered
	for i := range 2000 {
		if v, err := mp.Apply(poolCtx(t), p, killNth, i); v != i || err != nil {
			t.Fatal(v, err)
		}
	}
	if n := testkit.GoroutinesIn("internal/spawn.(*stream)"); n > 500 {
		t.Errorf("%d goroutines", n)
	}
}
