package pool

import (
	"context"
	"slices"
	"time"
)

// Kinds is a set of kinds of events.
type Kinds uint32

// KindsOf makes a set.
func KindsOf(kinds ...EventKind) (set Kinds) {
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

// reported are the kinds of events for which workers have to report each task.
var reported = KindsOf(TaskStarted, TaskDone, TaskFailed, TaskRetried)

// Watch is a subscription to events. Its queue is as long as that of Config.Events, but unlike that
// it never delays a task: events that come while the queue is full are counted by kind,
// and an event with the counts takes their place.
type Watch struct {
	s    *Scheduler
	news chan struct{} // holds a value while events wait
	done chan struct{} // closed by Close

	// Guarded by the scheduler's lock.
	kinds  Kinds
	queue  []watchEntry
	lost   map[EventKind]int // events left out since the last entry of the queue
	closed bool
}

// watchEntry is an entry without its job: a slow subscriber must not keep the inputs of calls in memory.
type watchEntry struct {
	entry
	fn   string
	id   uint64 // of the first task
	lost map[EventKind]int
}

// Watch subscribes to the events from now on.
func (s *Scheduler) Watch(kinds Kinds) *Watch {
	w := &Watch{s: s, kinds: kinds, news: make(chan struct{}, 1), done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events.watches = append(s.events.watches, w)
	s.events.updatePerTask()
	return w
}

// Close ends the subscription. What waits is dropped.
func (w *Watch) Close() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.closed {
		return
	}
	w.closed, w.queue, w.lost = true, nil, nil
	close(w.done)
	e := &w.s.events
	if e.watches = slices.DeleteFunc(e.watches, func(other *Watch) bool { return other == w }); len(e.watches) == 0 {
		e.watches = nil
	}
	e.updatePerTask()
}

// updatePerTask sets whether workers have to report each task.
func (e *events) updatePerTask() {
	e.perTask = e.tell != nil
	for _, w := range e.watches {
		e.perTask = e.perTask || w.kinds&reported != 0
	}
}

// add notes an event. The scheduler's lock is held.
func (w *Watch) add(en entry) {
	if w.kinds&(1<<en.kind) == 0 {
		return
	}
	if w.lost != nil && len(w.queue) <= maxEvents/2 { // there is room again
		w.queue = append(w.queue, watchEntry{entry: entry{kind: EventsLost, time: en.time, first: -1, n: 1}, lost: w.lost})
		w.lost = nil
	}
	j := en.job
	en.job = nil
	for rest := en.n; rest > 0; {
		we := watchEntry{entry: en}
		we.n = rest
		if j != nil {
			if we.fn, we.id = j.Func, j.taskID(en.first); j.Lazy { // its task ids come in blocks
				we.n = min(rest, lazyBlock-en.first%lazyBlock)
			}
		}
		w.put(we)
		rest -= we.n
		en.first += we.n
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// put puts an entry into the queue, or counts it.
func (w *Watch) put(we watchEntry) {
	if w.lost == nil && len(w.queue) < maxEvents {
		w.queue = append(w.queue, we)
		return
	}
	if w.lost == nil {
		w.lost = make(map[EventKind]int)
	}
	w.lost[we.kind] += we.n
}

// take takes the next event; more says that there are others.
func (w *Watch) take() (ev Event, ok, more bool) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if len(w.queue) == 0 {
		if w.lost == nil {
			return Event{}, false, false
		}
		ev = Event{Kind: EventsLost, Time: time.Now(), Index: -1, Lost: w.lost}
		w.lost = nil
		return ev, true, false
	}
	we := &w.queue[0]
	ev = Event{
		Kind: we.kind, Time: we.time, Worker: we.worker, PID: we.pid, Func: we.fn, Index: -1, ID: we.id,
		Attempt: we.attempt, Err: we.err, Wall: we.wall, CPU: we.cpu, Lost: we.lost,
	}
	if we.fn != "" {
		ev.Index = we.first
		we.id++
	}
	we.first++
	if we.n--; we.n == 0 {
		w.queue[0] = watchEntry{}
		if w.queue = w.queue[1:]; len(w.queue) == 0 {
			w.queue = nil
		}
	}
	return ev, true, len(w.queue) > 0 || w.lost != nil
}

// Next waits for the next event. The error is ctx's, or ErrClosed after Close and after the last event of
// a pool that has come to its end.
func (w *Watch) Next(ctx context.Context) (Event, error) {
	for {
		select {
		case <-w.done:
			return Event{}, ErrClosed
		default:
		}
		ended := false
		select {
		case <-w.s.ended:
			ended = true // before the look: nothing comes afterwards
		default:
		}
		ev, ok, more := w.take()
		if ok {
			if more { // for the next waiter
				select {
				case w.news <- struct{}{}:
				default:
				}
			}
			return ev, nil
		}
		if ended {
			return Event{}, ErrClosed
		}
		select {
		case <-w.news:
		case <-w.done:
		case <-w.s.ended:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// Over reports whether the pool has come to its end. A goroutine outside the pool's synctest bubble may ask, as it
// could not by the channel.
func (s *Scheduler) Over() bool { return s.hasEnded.Load() }
