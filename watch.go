package mp

import (
	"context"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// WatchConfig says what a Watch is told. The zero WatchConfig is all.
type WatchConfig struct {
	Kinds []EventKind // nil: all kinds; EventsLost is always told
}

// Watch is a subscription to what happens in a pool, beside PoolConfig.Events and all other
// subscriptions, for as long as somebody looks. It gets the events in order, each once. It is safe for concurrent use; of several
// goroutines that call Next each gets other events.
//
// A Watch never holds the pool up. At most 4,096 events wait for Next, of tasks in a row that the pool
// handles as one as many as there are. What comes beyond is left out, and is told in its place: by one event of
// the kind EventsLost, whose *EventsLostError counts what was left out by kind. So a
// count of what happened can always be had, however slow the reader.
//
// While somebody watches tasks, each costs the pool about what it costs with PoolConfig.Events. Kinds of
// workers only, such as WorkerDied, cost nothing a task; nor does a pool that nobody watches.
type Watch struct {
	w       *pool.Watch // nil: of a nil Pool
	pool    string
	dropped runtime.Cleanup
}

// Watch subscribes to what happens in the pool from now on. It does not wait. Of tasks that a worker has already
// there may be no TaskStarted. Close the Watch when you no longer read it; one that is dropped
// is closed when it is garbage. A Watch does not keep its pool from being garbage.
func (p *Pool) Watch(cfg WatchConfig) *Watch {
	if p.refusal() != nil {
		return &Watch{}
	}
	kinds := pool.Kinds(1<<31 - 1)
	if cfg.Kinds != nil {
		kinds = 0
		for _, k := range cfg.Kinds {
			if k > 0 && k <= EventsLost {
				kinds |= pool.KindsOf(pool.EventKind(k))
			}
		}
	}
	w := &Watch{w: p.s.Watch(kinds), pool: p.name}
	w.dropped = runtime.AddCleanup(w, (*pool.Watch).Close, w.w)
	return w
}

// Next waits for the next event. The error is ctx's; or ErrClosed after Close, after the last event of a pool
// that was closed and has come to its end, and of a nil Pool.
func (w *Watch) Next(ctx context.Context) (PoolEvent, error) {
	if w.w == nil {
		return PoolEvent{}, ErrClosed
	}
	e, err := w.w.Next(ctx)
	if err != nil {
		return PoolEvent{}, err
	}
	runtime.KeepAlive(w)
	return eventOf(w.pool, &e), nil
}

// Close ends the subscription: Next returns ErrClosed. Closing again does nothing.
func (w *Watch) Close() {
	if w.w != nil {
		w.dropped.Stop()
		w.w.Close()
	}
}
