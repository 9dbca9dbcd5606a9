//go:build linux

package shared_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	// As another user, whose descriptors nobody else has on their way.
	roles["flooded"] = func(_ []*os.File, _ []string) {
		q, err := shared.NewQueue(0, true, queueKind)
		must(err)
		other, err := shared.NewQueue(0, true, queueKind)
		must(err)
		must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 100, Max: 100}))
		if os.Getuid() == 0 {
			must(unix.Setresuid(54321, 54321, 54321))
		}
		item := &carrier.Item{Files: []*os.File{os.Stdin}}
		for err == nil {
			err = other.TryPut(item)
		}
		if !errors.Is(err, carrier.ErrFull) || !errors.Is(err, unix.ETOOMANYREFS) {
			panic(err)
		}
		done := make(chan error)
		start := time.Now()
		go func() { done <- q.Put(context.Background(), item) }()
		time.Sleep(20 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := q.Put(ctx, item); err != context.DeadlineExceeded {
			panic(err)
		}
		must(q.TryPut(bytesItem(nil))) // nobody is in the way
		if took := time.Since(start); took > 500*time.Millisecond {
			panic("it took " + took.String())
		}
		if err := <-done; !errors.Is(err, unix.ETOOMANYREFS) {
			panic(err)
		}
		_, files, err := other.TryGet(nil)
		must(err)
		closeAll(files)
		must(q.TryPut(item))
	}
}

// When the user's processes have too many descriptors on their way, who waits for that does
// not stand in the way of others, and not longer than its ctx.
func TestQueueOfAUserWithTooManyDescriptors(t *testing.T) {
	t.Parallel()
	play(t, "flooded", nil).ended()
}
