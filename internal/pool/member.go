package pool

import "time"

// member is the scheduler's record of one worker, and the worker's Sink.
type member struct {
	s   *Scheduler
	n   int // the worker's number, from 1
	w   Worker
	pid int // also after its death

	collector Collector // w, if it is one
	caps      Capabilities
	capacity  int // tasks that it may have at a time

	wakeup chan struct{} // tells its sender to look for work
	parked bool          // its sender waits for wakeup
	inIdle bool          // in s.idle

	batches     []*Batch  // in flight, oldest first
	sending     *Batch    // the one being sent
	outstanding int       // items in flight without a result
	sent        int       // items sent so far, less those taken back
	tasks       int       // items with a result
	memory      int64     // its memory when last measured
	memoryAt    time.Time // when that was
	headSince   time.Time // since when the oldest item could have begun
	sendSince   time.Time // since when a batch is being sent

	generation uint64 // at its start
	pinned     []*Job // jobs for it alone, not yet sent

	recycle      bool // it is replaced as soon as it has nothing to do
	retiring     bool // gets no more tasks and is closed when it has none
	closing      bool // was told to close
	killed       bool
	why          error // why it was killed, or ends: for its last event
	unresponsive bool  // it did not begin what it was sent, and gets nothing until it reports something
	dead         bool
	startErr     error     // why it died before it was ready
	reported     bool      // it has reported something
	used         bool      // it was sent something
	since        time.Time // ready since

	awake  bool // in s.awake
	slow   int  // of the outstanding items, those that may take long
	waking bool // its sender is about to look for work

	stop         *stopping     // the item that is being stopped
	timeoutTimer *time.Timer   // calls checkTimeout
	timeoutDue   time.Time     // when it does; zero: it is not set
	closeTimer   *time.Timer   // kills the worker if it does not close
	idleTimer    *time.Timer   // ends the worker when it has been idle for long
	idleSince    time.Time     // idle since
	quitClosed   bool          // quit is closed
	quit         chan struct{} // closed when the worker is killed, or dead
	decoding     chan struct{} // one entry for each goroutine that decodes what the worker has sent

	compensates  *compensation // what it compensates for; nil: it is an ordinary worker
	compensation *compensation // in its place, while its task waits; nil: its task does not wait

	lastBatch *Batch // what it ran at the last isSlow
	lastItem  int

	stallTasks int        // tasks at the last check for stalls
	stallHead  *Batch     // the oldest batch then
	scratch    []delivery // memory for Results to use again
}

// newMember makes the record of a worker that is about to be started.
func (s *Scheduler) newMember(n int) *member {
	return &member{
		s: s, n: n, wakeup: make(chan struct{}, 1),
		quit: make(chan struct{}), decoding: make(chan struct{}, maxDecoding),
	}
}

// ready notes the worker, which is ready now.
func (m *member) ready(w Worker) {
	m.w, m.pid, m.caps = w, w.PID(), w.Capabilities()
	m.capacity = m.caps.capacity()
}

// oldest returns the oldest batch with items that have not ended; nil if there is none.
func (m *member) oldest() *Batch {
	for _, b := range m.batches {
		if b.done < b.limit {
			return b
		}
	}
	return nil
}

// current returns the item of a batch that the worker runs or is about to begin, after a revoke.
func (m *member) current(b *Batch) (item int, ok bool) {
	if m.caps.Revocable {
		return b.last()
	}
	return b.done, b == m.oldest()
}

// accepts reports whether the worker may be sent tasks.
func (m *member) accepts() bool {
	return m.serving() && m.stop == nil && !m.unresponsive
}

// serving reports whether the worker is neither dead nor about to end.
func (m *member) serving() bool { return !m.retiring && !m.closing && !m.killed && !m.dead }

// wake makes the member's sender look for work. It is called with the lock held.
func (m *member) wake() {
	if m.dead {
		return
	}
	select {
	case m.wakeup <- struct{}{}:
	default:
	}
}
