package thread_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// What is waited for in a bubble of testing/synctest, in vain, is as good as before in
// another bubble, and outside.
func TestWaitsInVainLeaveNothingOfTheirBubble(t *testing.T) {
	t.Parallel()
	held, permits, event := must(thread.NewLock()), must(thread.NewSemaphore(0)), must(thread.NewEvent())
	condition, barrier := must(thread.NewCondition(nil)), must(thread.NewBarrier(2))
	empty, full, undone := must(thread.NewQueue[int](0)), must(thread.NewQueue[int](1)), must(thread.NewQueue[int](0))
	r, w := ends[int]()
	hold := must(held.Acquire(t.Context()))
	for _, q := range []*mp.Queue[int]{full, undone} {
		if err := q.TryPut(1); err != nil {
			t.Fatal(err)
		}
	}
	inVain := func(t *testing.T) {
		for what, wait := range map[string]func(context.Context) error{
			"Lock":      func(ctx context.Context) error { return failure(held.Acquire(ctx)) },
			"Semaphore": func(ctx context.Context) error { return failure(permits.Acquire(ctx)) },
			"Event":     event.Wait,
			"Condition": func(ctx context.Context) error {
				return failure(condition.Wait(ctx, must(condition.Acquire(ctx))))
			},
			"Barrier": func(ctx context.Context) error {
				defer barrier.Reset()
				return failure(barrier.Wait(ctx))
			},
			"beyond the barrier": func(ctx context.Context) (err error) {
				go barrier.Wait(t.Context())
				synctest.Wait()
				barrier.WaitDo(t.Context(), func() error { err = failure(barrier.Wait(ctx)); return nil })
				return err
			},
			"Get":    func(ctx context.Context) error { return failure(empty.Get(ctx)) },
			"Put":    func(ctx context.Context) error { return full.Put(ctx, 2) },
			"Join":   undone.Join,
			"Recv":   func(ctx context.Context) error { return failure(r.Recv(ctx)) },
			"Select": func(ctx context.Context) error { return failure(mp.Select(ctx, event, empty, r)) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", what, err)
			}
			cancel()
		}
	}
	for range 2 {
		synctest.Test(t, inVain)
	}
	event.Set()
	if err := errors.Join(hold.Release(), permits.Release(1), event.Wait(t.Context()), empty.TryPut(1), w.Send(t.Context(), 1)); err != nil {
		t.Error(err)
	}
	if err := errors.Join(failure(undone.TryGet()), undone.TaskDone(), undone.Join(t.Context()), failure(full.TryGet())); err != nil {
		t.Error(err)
	}
}
