package pool

import (
	"time"
)

// EventKind says what happened.
type EventKind int

// The kinds of events.
const (
	TaskQueued EventKind = iota + 1
	TaskStarted
	TaskDone
	TaskFailed
	TaskRetried
	WorkerStarted
	WorkerReady
	WorkerDied
	WorkerRecycled
	OutputLost
	OutputLate
	EventsLost // of a Watch only
)

// Event is something that happened.
type Event struct {
	Kind        EventKind
	Time        time.Time
	Worker, PID int
	Func        string
	Index       int
	Attempt     int
	Err         error
	ID          uint64            // of the task; 0: it is not about one
	Wall, CPU   time.Duration     // that the attempt took; 0: not known, or it is not about one that has ended
	Lost        map[EventKind]int // of EventsLost: how many events of each kind
}

// entry is an event that waits for its delivery; n tasks in a row are one entry.
type entry struct {
	kind        EventKind
	time        time.Time
	job         *Job
	first, n    int
	attempt     int
	worker, pid int
	err         error
	wall, cpu   time.Duration
}

// took adds the time that the attempt took.
func (en entry) took(m *Measure) entry {
	if m != nil {
		en.wall, en.cpu = m.Wall, m.CPU
	}
	return en
}

// maxEvents is how many events may wait. While that many do, no task is sent.
const maxEvents = 4096

// events delivers events, in order, on one goroutine that exists only while
// events wait. Its fields are guarded by the scheduler's lock.
type events struct {
	s       *Scheduler
	tell    func(Event)
	watches []*Watch
	perTask bool // workers have to report each task
	queue   []entry
	running bool
	blocked bool // the scheduler was told to wait
	idle    chan struct{}
}

func (e *events) init(s *Scheduler) { e.s, e.tell, e.perTask = s, s.cfg.Events, s.cfg.Events != nil }

// add notes an event. It is called with the scheduler's lock held.
func (e *events) add(en entry) {
	if e.tell == nil && e.watches == nil || en.n <= 0 {
		return
	}
	en.time = time.Now()
	for _, w := range e.watches {
		w.add(en)
	}
	if e.tell == nil {
		return
	}
	e.queue = append(e.queue, en)
	if !e.running {
		e.running = true
		go e.run()
	}
}

// Output implements Sink.
func (m *member) Output(kind EventKind, err error) {
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events.add(entry{kind: kind, first: -1, n: 1, worker: m.n, pid: m.pid, err: err})
}

// full reports whether too many events wait for any task to be sent.
func (e *events) full() bool { return e.room() <= 0 }

// room returns how many tasks may be sent to a worker now. Each of them, and of those that were sent
// before, will cause two events.
func (e *events) room() int {
	if e.tell == nil {
		return maxItems
	}
	free := maxEvents - len(e.queue)
	for _, m := range e.s.members {
		free -= 2 * m.outstanding
	}
	if free >= 2 {
		return max(1, free/2/max(1, e.s.want)) // the others want some too
	}
	e.blocked = true
	return 0
}

func (e *events) run() {
	for {
		ev, ok := e.next()
		if !ok {
			return
		}
		e.s.callbacks.call(func() { e.tell(ev) }, e.run)
	}
}

// next takes the next event. With ok false the goroutine ends: no event waits.
func (e *events) next() (Event, bool) {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	if len(e.queue) == 0 {
		e.running, e.queue = false, nil
		if e.idle != nil {
			close(e.idle)
			e.idle = nil
		}
		return Event{}, false
	}
	en := &e.queue[0]
	ev := Event{
		Kind: en.kind, Time: en.time, Worker: en.worker, PID: en.pid,
		Index: -1, Attempt: en.attempt, Err: en.err, Wall: en.wall, CPU: en.cpu,
	}
	if en.job != nil {
		ev.Func, ev.Index, ev.ID = en.job.Func, en.first, en.job.taskID(en.first)
	}
	en.first++
	if en.n--; en.n == 0 {
		e.queue[0] = entry{}
		e.queue = e.queue[1:]
		if e.blocked && len(e.queue) < maxEvents/2 {
			e.blocked = false
			e.s.startMissing()
			e.s.wakeSenders(e.s.queues.items)
			e.s.wakeCompensating()
			e.s.wakeAllPinned()
		}
	}
	return ev, true
}

// quiet returns a channel that is closed when no event waits.
func (e *events) quiet() <-chan struct{} {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	if e.idle == nil {
		e.idle = make(chan struct{})
	}
	idle := e.idle
	if !e.running {
		close(e.idle)
		e.idle = nil
	}
	return idle
}
