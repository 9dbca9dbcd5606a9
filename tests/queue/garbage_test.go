//go:build linux

package queue_test

import (
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// What is put may be all that is left of a handle, while Put waits for room.
func TestQueuePutsWhatIsGarbageMeanwhile(t *testing.T) {
	ctx := testkit.Ctx(t)
	q := testkit.NewQueue[*mp.Queue[int]](t, 1)
	if err := q.Put(ctx, nil); err != nil {
		t.Fatal(err)
	}
	put := make(chan error)
	go func() {
		inner, err := mp.NewQueue[int](0)
		if err == nil {
			err = inner.Put(ctx, 7)
		}
		if err == nil {
			err = q.Put(ctx, inner)
		}
		put <- err
	}()
	testkit.UntilBlocked(t, 1, "Put")
	testkit.Collect()
	if v, err := q.Get(ctx); v != nil || err != nil {
		t.Fatal(v, err)
	}
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	inner, err := q.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := inner.Get(ctx); v != 7 || err != nil {
		t.Error(v, err)
	}
}
