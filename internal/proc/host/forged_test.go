//go:build unix

package host

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

// forgedBatch is a batch of so many items at a worker that shares the returned memory.
func forgedBatch(t *testing.T, items int) (*Worker, *sentBatch, *task.Claims) {
	t.Helper()
	p := testPage(t)
	w := &Worker{page: p}
	b := pool.NewBatch(pool.Span{Job: &pool.Job{Options: new(pool.Options), Client: fuzzCall{size: 8}}, N: items, Attempt: 1})
	w.Open(b)
	f := b.Tag.(*sentBatch)
	return w, f, p.Claims[f.slot]
}

// A task that writes over its worker's claims runs all the same: it cannot look as if it had not
// been begun, nor be taken back and run by another worker.
func TestForgedClaims(t *testing.T) {
	t.Parallel()
	for what, forge := range map[string]func(c *task.Claims){
		"zero":          func(c *task.Claims) { c.Open(0, 0) },
		"not begun":     func(c *task.Claims) { c.Open(5, 0) },
		"higher limit":  func(c *task.Claims) { c.Open(6, 0) },
		"lower limit":   func(c *task.Claims) { c.Limit(3) },
		"all that fits": func(c *task.Claims) { c.Open(1<<24-1, 1<<16-1) },
	} {
		t.Run(what, func(t *testing.T) {
			w, f, c := forgedBatch(t, 5)
			if _, _, _, ok := w.Running(); ok {
				t.Error("it runs before it was begun")
			}
			c.Claim()
			forge(c)
			if b, item, _, ok := w.Running(); b != f.batch || item != 0 || !ok {
				t.Errorf("running: item %d, %v", item, ok)
			}
			if n := w.Limit(f.batch, 0); n != 1 {
				t.Errorf("%d items are left to it", n)
			}
		})
		t.Run(what+" before anybody looks", func(t *testing.T) {
			w, f, c := forgedBatch(t, 5)
			c.Claim()
			forge(c)
			if n := w.Limit(f.batch, 0); n != 1 {
				t.Errorf("%d items are left to it", n)
			}
		})
	}
}

// What is taken back from an honest worker is not taken for forged.
func TestClaimsOfAnHonestWorker(t *testing.T) {
	t.Parallel()
	w, f, c := forgedBatch(t, 5)
	for _, n := range []int{4, 3} {
		if got := w.Limit(f.batch, n); got != n {
			t.Errorf("limit %d, not %d", got, n)
		}
		if _, _, _, ok := w.Running(); ok {
			t.Error("it runs and was not begun")
		}
	}
	c.Claim()
	if _, item, _, ok := w.Running(); item != 0 || !ok {
		t.Errorf("running: item %d, %v", item, ok)
	}
	c.Claim()
	if got := w.Limit(f.batch, 0); got != 2 {
		t.Errorf("limit %d", got)
	}
}
