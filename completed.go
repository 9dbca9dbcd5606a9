package mp

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// AsCompleted yields the results as they complete, with their indices in rs, as concurrent.futures.as_completed.
// Results that are done already come first, in the order of rs, even if ctx has ended; so every result that was
// done before the loop ended is yielded. When ctx ends, the loop yields what is done and ends.
//
// A result that occurs twice in rs is yielded twice, once for each index; Python yields it once. Waiting costs
// no goroutine, and leaves nothing behind in results that are not done.
func AsCompleted[T any](ctx context.Context, rs ...*Result[T]) iter.Seq2[int, *Result[T]] {
	return func(yield func(int, *Result[T]) bool) {
		c := newCompletions(rs)
		defer leaveAll(rs, c.entries)
		waiters := addWaiters(ctx, rs)
		defer waiters.remove()
		for n := 0; n < len(rs); {
			if i, ok := c.next(); ok {
				if n++; !yield(i, rs[i]) {
					return
				}
				continue
			}
			if ctx.Err() != nil {
				return
			}
			select {
			case <-c.more:
			case <-ctx.Done():
			}
		}
	}
}

// completions are the places of results that are done, in the order in which they were.
type completions struct {
	entries []completion // one for each result
	more    chan struct{}

	mu   sync.Mutex
	done []int
}

// completion is the entry of a waiter at one result.
type completion struct {
	of    *completions
	place int
}

func newCompletions[T any](rs []*Result[T]) *completions {
	c := &completions{entries: make([]completion, len(rs)), more: make(chan struct{}, 1)}
	for i, r := range rs {
		c.entries[i] = completion{of: c, place: i}
		if !r.listen(&c.entries[i]) {
			c.entries[i].tell()
		}
	}
	return c
}

// tell notes that the result is done. It does not block.
func (w *completion) tell() {
	w.of.mu.Lock()
	w.of.done = append(w.of.done, w.place)
	w.of.mu.Unlock()
	select {
	case w.of.more <- struct{}{}:
	default:
	}
}

func (c *completions) next() (place int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.done) == 0 {
		return 0, false
	}
	place, c.done = c.done[0], c.done[1:]
	return place, true
}

// listen has w told when the outcome is there; false: it is.
func (r *Result[T]) listen(w waker) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.listeners = append(r.listeners, listener[T]{wake: w})
	}
	return !r.ready
}

// leaveAll takes a waiter out of the results that are not done.
func leaveAll[T any](rs []*Result[T], entries []completion) {
	for i, r := range rs {
		r.mu.Lock()
		if !r.ready {
			r.listeners = slices.DeleteFunc(r.listeners, func(l listener[T]) bool { return l.wake == waker(&entries[i]) })
		}
		r.mu.Unlock()
	}
}

// waiters are the waits for several results.
type waiters []pool.Waiter

func addWaiters[T any](ctx context.Context, rs []*Result[T]) (ws waiters) {
	for _, r := range rs {
		if r.job != nil && !r.Ready() {
			ws = append(ws, r.s.AddWaiter(ctx, r.job))
		}
	}
	return ws
}

func (ws waiters) remove() {
	for i := range ws {
		ws[i].Remove()
	}
}

// WaitFor says what Wait waits for.
type WaitFor int

// What Wait waits for.
const (
	AllDone    WaitFor = iota // FIRST_COMPLETED, FIRST_EXCEPTION and ALL_COMPLETED of concurrent.futures
	FirstDone                 // some result
	FirstError                // a result with an error other than ErrCancelled, or all
)

// Wait waits until some or all results are done, or until ctx ends, as concurrent.futures.wait. It returns which
// are done and which are not, both in the order of rs. It checks the results once before it checks ctx. A result
// that occurs twice in rs is returned twice; Python's sets have it once.
func Wait[T any](ctx context.Context, when WaitFor, rs ...*Result[T]) (done, pending []*Result[T]) {
	if !enough(when, rs) {
		for _, r := range AsCompleted(ctx, rs...) {
			if when == FirstDone || when == FirstError && failed(r) {
				break
			}
		}
	}
	for _, r := range rs {
		if r.Ready() {
			done = append(done, r)
		} else {
			pending = append(pending, r)
		}
	}
	return done, pending
}

// enough says whether there is nothing to wait for.
func enough[T any](when WaitFor, rs []*Result[T]) bool {
	for _, r := range rs {
		if r.Ready() && (when == FirstDone || when == FirstError && failed(r)) {
			return true
		}
	}
	return false
}

func failed[T any](r *Result[T]) bool {
	err := r.Err()
	return err != nil && !errors.Is(err, ErrCancelled)
}

var waitFors = enumNames{"all done", "first done", "first error"}

// String is the name of what Wait waits for.
func (w WaitFor) String() string { return waitFors.of(int(w), 0) }

// MarshalText is String. It never fails.
func (w WaitFor) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText takes what MarshalText returns. Anything else is an error that names it.
func (w *WaitFor) UnmarshalText(text []byte) error {
	return unmarshalName(w, "WaitFor", waitFors, 0, text)
}
