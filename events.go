package mp

import (
	"log/slog"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// PoolEvent is something that happened in a pool: see PoolConfig.Events. What is
// not about a task has Index -1, ID 0 and no Func. Given to log/slog it logs what it has.
type PoolEvent struct {
	Kind        EventKind
	Time        time.Time
	Pool        string // the pool's name
	Node        string // the machine that the worker is on; "": this one
	Worker, PID int    // 0: none, or not yet
	Func        string
	Index       int
	Attempt     int
	ID          uint64        // of the task: no other task of this process has it, in whatever pool
	Wall, CPU   time.Duration // of TaskDone, TaskFailed and TaskRetried: what the attempt took; 0: it was not begun, and CPU on goroutines
	Err         error         // of TaskFailed, TaskRetried, WorkerDied and WorkerRecycled (see the last two), OutputLost, OutputLate and EventsLost
}

// EventKind says what happened.
type EventKind int

// The kinds of events. Each task has one TaskQueued, a TaskStarted for each
// attempt, a TaskRetried for each attempt that another follows, and at last one
// TaskDone or TaskFailed.
//
// The Err of a WorkerDied or WorkerRecycled that the pool itself has caused says why, with errors.Is:
// context.DeadlineExceeded for a deadline, ErrCancelled (or the error of the ctx of the call) for a task that was
// cancelled and did not stop, ErrMemory, ErrTerminated, ErrClosed at the end of the pool,
// ErrRecycled after TasksPerWorker or Recycle, ErrResized after Resize, ErrIdle after IdleTimeout.
// How a worker died errors.As finds in it as a *WorkerDiedError.
const (
	TaskQueued EventKind = iota + 1
	TaskStarted
	TaskDone
	TaskFailed
	TaskRetried
	WorkerStarted  // is being started
	WorkerReady    // Init is done
	WorkerDied     // or could not be started, or was killed
	WorkerRecycled // ended as the pool wanted
	OutputLost     // a writer did not take what a worker printed: Err is an *OutputError
	OutputLate     // what a task printed was not written within a second: its outcome did not wait for it any longer
	EventsLost     // of a Watch: events were left out here, as it was not read fast enough: Err is an *EventsLostError
)

var eventKinds = enumNames{"task queued", "task started", "task done", "task failed", "task retried",
	"worker started", "worker ready", "worker died", "worker recycled", "output lost", "output late", "events lost"}

// String is the kind's name.
func (k EventKind) String() string { return eventKinds.of(int(k), 1) }

// MarshalText is String. It never fails.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText takes what MarshalText returns. Anything else is an error that names it.
func (k *EventKind) UnmarshalText(text []byte) error {
	return unmarshalName(k, "EventKind", eventKinds, 1, text)
}

// LogValue implements slog.LogValuer.
func (e PoolEvent) LogValue() slog.Value {
	as := []slog.Attr{slog.String("kind", e.Kind.String()), slog.String("pool", e.Pool)}
	as = appendSet(as, slog.String("node", e.Node), slog.Int("worker", e.Worker), slog.Int("pid", e.PID), slog.String("func", e.Func))
	if e.Func != "" {
		as = append(as, slog.Int("index", e.Index), slog.Int("attempt", e.Attempt), slog.Uint64("id", e.ID))
	}
	as = appendSet(as, slog.Duration("wall", e.Wall), slog.Duration("cpu", e.CPU))
	if e.Err != nil {
		as = append(as, slog.Any("err", e.Err))
	}
	return slog.GroupValue(as...)
}

// LogValue implements slog.LogValuer: everything but the input, the output and what was captured.
func (o Outcome[In, Out]) LogValue() slog.Value {
	as := []slog.Attr{slog.String("pool", o.Pool), slog.Int("index", o.Index)}
	as = appendSet(as, slog.Uint64("id", o.ID), slog.Int("attempts", o.Attempts), slog.String("node", o.Node), slog.Int("pid", o.PID),
		slog.Duration("wall", o.Wall), slog.Duration("cpu", o.CPU), slog.Int64("maxMemory", o.MaxMemory))
	if o.Err != nil {
		as = append(as, slog.Any("err", o.Err))
	}
	return slog.GroupValue(as...)
}

// appendSet appends those that are not zero.
func appendSet(as []slog.Attr, more ...slog.Attr) []slog.Attr {
	for _, a := range more {
		switch v := a.Value; {
		case v.Kind() == slog.KindString && v.String() == "":
		case v.Kind() == slog.KindInt64 && v.Int64() == 0:
		case v.Kind() == slog.KindUint64 && v.Uint64() == 0:
		case v.Kind() == slog.KindDuration && v.Duration() == 0:
		default:
			as = append(as, a)
		}
	}
	return as
}

// events is cfg.Events as the scheduler calls it.
func (c *PoolConfig) events() func(pool.Event) {
	if c.Events == nil {
		return nil
	}
	tell, name := c.Events, c.Name
	return func(e pool.Event) { tell(eventOf(name, &e)) }
}

// eventOf is an event of a pool as the program gets it.
func eventOf(name string, e *pool.Event) PoolEvent {
	ev := PoolEvent{
		Kind: EventKind(e.Kind), Time: e.Time, Pool: name, Worker: e.Worker, PID: e.PID,
		Func: e.Func, Index: e.Index, Attempt: e.Attempt, ID: e.ID, Wall: e.Wall, CPU: e.CPU, Err: e.Err,
	}
	if e.Lost != nil {
		ev.Err = lostEvents(e.Lost)
	}
	return ev
}
