package mp

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
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

// EventsLostError is the Err of an EventsLost: what a Watch was not told because too much waited for it.
type EventsLostError struct {
	Counts map[EventKind]int // how many events of each kind
}

// Error implements error.
func (e *EventsLostError) Error() string {
	total := 0
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(e.Counts)) {
		n := e.Counts[k]
		total += n
		parts = append(parts, fmt.Sprintf("%d %v", n, k))
	}
	return fmt.Sprintf("mp: %d events were left out, as the Watch was not read fast enough: %s", total, strings.Join(parts, ", "))
}

// lostEvents is the Err of an EventsLost.
func lostEvents(counts map[pool.EventKind]int) *EventsLostError {
	e := &EventsLostError{Counts: make(map[EventKind]int, len(counts))}
	for k, n := range counts {
		e.Counts[EventKind(k)] = n
	}
	return e
}
