package pool

import (
	"context"
	"errors"
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
	ErrFull       = carrier.ErrFull
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
