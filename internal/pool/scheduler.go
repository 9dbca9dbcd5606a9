package pool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// Errors of the scheduler. Package mp exports them under these names.
var (
	ErrClosed     = carrier.ErrClosed
	ErrTerminated = errors.New("mp: the pool was terminated")
	ErrCancelled  = errors.New("mp: cancelled")
	ErrMemory     = errors.New("mp: memory limit passed")
	ErrBroken     = carrier.ErrBroken
	ErrOpen       = errors.New("mp: the pool is open: Join comes after Close or Terminate")
)

// Config configures a scheduler. The caller has filled in all defaults.
type Config struct {
	Workers        int
	Start          StartFunc
	TasksPerWorker int           // 0: no end
	MaxMemory      int64         // bytes; 0: not watched
	MaxQueued      int           // 0: Submit never waits
	IdleTimeout    time.Duration // 0: never
	Grace          time.Duration
	ExitGrace      time.Duration // for Exit in a worker that was asked to end; 0: there is no Exit
	Events         func(Event)
	// Compensate makes a worker, number n, that compensates for a blocked one while its task
	// waits. It needs no start. nil: tasks cannot wait for their own pool.
	Compensate func(blocked Worker, n int, sink Sink) Inline
	// Stuck returns how many tasks run on though they have their outcome. nil: there are never any.
	Stuck func() int
	// TimedOut and OverMemory make the errors of tasks that were killed for their time or memory.
	TimedOut   func(after time.Duration, stack string) error
	OverMemory func(used, limit int64) error
	// Transient reports whether a start failed for a cause that may pass. Such starts are tried again for
	// StartPatience while no worker lives. nil: no cause passes.
	Transient     func(err error) bool
	StartPatience time.Duration
	// Paused returns for how long the whole program was stopped since a moment; nil: it never is.
	Paused func(since time.Time) time.Duration
	// KilledOutside reports whether a worker that died was killed from outside, which says
	// nothing about the next one. nil: it never is.
	KilledOutside func(err error) bool
	// Release is called once, when Start will not be called again and no call of it is under way. nil: nothing
	// has to be released.
	Release func()
}

// Scheduler is the state machine. Its methods are safe for concurrent use.
type Scheduler struct {
	cfg Config

	mu         sync.Mutex
	members    []*member // ready, or about to end
	idle       []*member // nothing to do
	awake      []*member // those with short tasks only: see awake.go
	prefetched int       // workers with more than one item
	awakeWork  int64     // nanoseconds: what the tasks of awake workers are estimated to take
	waking     int       // workers whose senders are about to look
	want       int       // how many workers there should be
	starting   int       // workers that are being started
	numbers    []bool    // worker numbers taken
	startFailures
	backingOff bool // a start waits for its back-off

	queues       runQueues
	estimates    map[string]*estimate
	lastEstimate *estimate // of the job that was submitted last; nil: of none
	open         jobList
	unsettled    int              // tasks without an outcome, of open jobs
	inBackOff    int              // tasks in their back-off
	finishing    int              // jobs whose Finished is being called
	draining     bool             // nothing is begun or retried any more
	starts       map[*member]bool // workers that are being started
	generation   uint64           // of workers: one more with each Recycle
	recyclings   []*recycling
	ranked       bool            // priorities other than 0 were used
	submitters   []chan struct{} // calls of Submit that wait for MaxQueued, in their order

	closed      bool
	terminated  bool
	broken      error
	raced       error           // of the first worker in which the race detector reported something
	startCtx    context.Context // ends as soon as no worker is needed any more
	stopStarts  context.CancelFunc
	ended       chan struct{} // closed when the pool is closed, nothing is left to do, and no worker is left
	hasEnded    atomic.Bool   // the same, for goroutines outside the synctest bubble that the pool may be in
	workersGone chan struct{} // closed when the pool is terminated and no worker is left
	releasing   bool
	released    chan struct{} // closed when Release has returned

	stallTimer     *time.Timer // calls checkStalls
	stallTimerSet  bool
	awakeTimer     *time.Timer // calls checkAwake
	awakeTimerSet  bool
	memoryTimer    *time.Timer // calls checkMemory
	memoryTimerSet bool

	collectTimer    *time.Timer // calls collectAll
	collectTimerSet bool

	counts    counts
	events    events
	callbacks callbacks
}

// counts are totals since the start.
type counts struct{ done, failed, retried, restarts int }

// New starts the workers and returns when all are ready. After a failure it ends the
// workers and returns the first error.
func New(cfg Config) (*Scheduler, error) {
	s := &Scheduler{
		cfg:       cfg,
		want:      cfg.Workers,
		estimates: make(map[string]*estimate), starts: make(map[*member]bool),
		ended: make(chan struct{}), workersGone: make(chan struct{}), released: make(chan struct{}),
	}
	s.startCtx, s.stopStarts = context.WithCancel(context.Background())
	s.events.init(s)
	if err := s.startAll(); err != nil {
		s.Terminate()
		return nil, err
	}
	return s, nil
}

// Submit takes a job. With MaxQueued it waits for room until ctx ends, unless ctx is that of a task of the
// pool: such a wait might never end. With another ctx a task may wait for room that only its own end makes. An error means
// that the job was not taken.
func (s *Scheduler) Submit(ctx context.Context, j *Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.NoWait {
		return s.SubmitNow(j)
	}
	s.mu.Lock()
	if s.full() {
		s.mu.Unlock()
		if s.calledByTask(ctx) { // it would wait for room that only its own end makes
			return s.SubmitNow(j)
		}
		s.mu.Lock()
	}
	for s.full() {
		if err := s.awaitRoom(ctx); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	return s.accept(j)
}

// SubmitNow is Submit for a caller that waits for the outcome anyway: it does not
// wait for room.
func (s *Scheduler) SubmitNow(j *Job) error {
	s.mu.Lock()
	return s.accept(j)
}

// accept takes a job, unless there is a reason not to. It releases the lock.
func (s *Scheduler) accept(j *Job) error {
	if err := s.refusal(); err != nil {
		s.mu.Unlock()
		return err
	}
	if err := s.refuseNoWait(j); err != nil {
		s.mu.Unlock()
		return err
	}
	s.admit(j)
	finish := s.checkFinished(j)
	s.mu.Unlock()
	if finish {
		s.finish(j)
	}
	return nil
}

// full reports whether a Submit has to wait.
func (s *Scheduler) full() bool {
	return s.cfg.MaxQueued > 0 && s.refusal() == nil && s.queued() >= s.cfg.MaxQueued
}

// awaitRoom waits, without the lock, until fewer tasks may be queued.
func (s *Scheduler) awaitRoom(ctx context.Context) error {
	room := make(chan struct{})
	s.submitters = append(s.submitters, room)
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.submitters, room); i >= 0 {
		s.submitters = slices.Delete(s.submitters, i, i+1)
	} else {
		s.wakeSubmitters() // the room was for this call: the next may have it
	}
	return ctx.Err()
}

// refusal returns why jobs are not taken; nil if they are.
func (s *Scheduler) refusal() error {
	switch {
	case s.terminated:
		return ErrTerminated
	case s.broken != nil:
		return s.broken
	case s.closed:
		return ErrClosed
	}
	return nil
}

// admit notes a job and enqueues its tasks.
func (s *Scheduler) admit(j *Job) {
	j.s = s
	if j.Options == nil {
		j.Options = &noOptions
	}
	j.assignIDs()
	j.sealed = !j.Lazy
	j.estimate = s.estimateOf(j.Func)
	s.open.append(j)
	s.ranked = s.ranked || j.Priority != 0
	s.enqueue(j, j.Items)
}

// Extend adds n tasks to a lazy job.
func (s *Scheduler) Extend(j *Job, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.over || j.sealed {
		return
	}
	j.Items += n
	j.extendIDs()
	s.enqueue(j, n)
}

// Seal notes that no more tasks will come to a lazy job.
func (s *Scheduler) Seal(j *Job) {
	s.mu.Lock()
	j.sealed = true
	finish := j.s != nil && s.checkFinished(j)
	s.mu.Unlock()
	if finish {
		s.finish(j)
	}
}

// enqueue has n new tasks of a job wait for workers.
func (s *Scheduler) enqueue(j *Job, n int) {
	if n == 0 {
		return
	}
	j.unsettled += n
	j.unsent += n
	s.unsettled += n
	s.queues.items += n
	s.enlist(j, false)
	s.startSharing(j)
	s.events.add(entry{kind: TaskQueued, job: j, first: j.Items - n, n: n, attempt: 1})
	if s.ranked {
		s.preempt(j.Priority)
	}
	s.wakeSenders(n)
}

// queued returns the number of tasks that wait: for a worker, for their back-off, or
// at a worker behind the one that it runs.
func (s *Scheduler) queued() int {
	n := s.queues.items + s.inBackOff
	for _, m := range s.members {
		n += max(0, m.outstanding-1)
	}
	return n
}

// running returns the number of workers that have something to do.
func (s *Scheduler) running() int {
	n := 0
	for _, m := range s.members {
		if m.outstanding > 0 {
			n++
		}
	}
	return n
}

// wakeSubmitters wakes as many of the waiting calls of Submit as have room now,
// and all of them if the pool takes no jobs any more.
func (s *Scheduler) wakeSubmitters() {
	if len(s.submitters) == 0 {
		return
	}
	n := len(s.submitters)
	if s.refusal() == nil {
		n = min(n, max(0, s.cfg.MaxQueued-s.queued()))
	}
	for _, room := range s.submitters[:n] {
		close(room)
	}
	s.submitters = slices.Delete(s.submitters, 0, n)
}
