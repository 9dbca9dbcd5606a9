package pool

import "time"

// member is the scheduler's side of one worker. It is the worker's Sink.
type member struct {
	s   *Scheduler
	n   int // the worker's number, from 1
	w   Worker
	pid int // its pid, for good

	collector Collector // w, if it is one
	caps      Capabilities
	capacity  int // tasks that it may have at a time

	wakeup chan struct{} // to its sender: look for work
	parked bool          // its sender waits for a nudge
	inIdle bool          // in s.idle

	batches     []*Batch  // in flight, oldest first
	sending     *Batch    // the one being sent
	outstanding int       // items in flight without a result
	sent        int       // items sent in all, less those called back
	tasks       int       // items with a result
	memory      int64     // its memory when last looked at
	memoryAt    time.Time // when that was
	headSince   time.Time // since when the oldest item could have begun
	sendSince   time.Time // since when a batch is being sent

	generation uint64 // at its start
	pinned     []*Job // for it alone, not yet sent

	recycle      bool // is replaced when it has nothing to do
	retiring     bool // gets no more tasks and is closed when it has none
	closing      bool // was told to close
	killed       bool
	why          error // it was killed, or ends: for its last event
	unresponsive bool  // did not begin what it was sent; gets nothing until it is heard of
	dead         bool
	startErr     error     // why it died before it was ready
	reported     bool      // has reported something
	used         bool      // was sent something
	since        time.Time // ready since

	awake  bool // in s.quick
	slow   int  // of the outstanding items, those that may take long
	waking bool // its sender is about to look for something to send

	stop         *stopping     // the item that is being stopped
	timeoutTimer *time.Timer   // looks at timeouts
	timeoutDue   time.Time     // when it does; zero: it is not set
	closeTimer   *time.Timer   // kills the worker when it did not close
	idleTimer    *time.Timer   // ends the worker when it was idle for long
	idleSince    time.Time     // idle since
	quitClosed   bool          // quit is closed
	quit         chan struct{} // closed when the worker is killed, or dead
	decoding     chan struct{} // one for each goroutine that decodes what the worker has sent

	compensates  *compensation // as a guest, the place where it works; nil: it is none
	compensation *compensation // its own place, while its task waits

	lastBatch *Batch // what it ran when last looked at
	lastItem  int

	stallTasks int        // tasks when last looked at for a stall
	stallHead  *Batch     // and the oldest batch then
	scratch    []delivery // scratch of Results
}

// newMember makes the record of a worker that is about to be started.
func (s *Scheduler) newMember(n int) *member {
	return &member{
		s: s, n: n, wakeup: make(chan struct{}, 1),
		quit: make(chan struct{}), decoding: make(chan struct{}, maxDecoding),
	}
}

// ready notes the worker that a member has from now on.
func (m *member) ready(w Worker) {
	m.w, m.pid, m.caps = w, w.PID(), w.Capabilities()
	m.capacity = m.caps.capacity()
}

// oldest is the oldest batch of which not all items have ended; nil: there is none.
func (m *member) oldest() *Batch {
	for _, b := range m.batches {
		if b.done < b.limit {
			return b
		}
	}
	return nil
}

// inHand is the item of a batch that the worker runs or is about to begin, after what can be called back was.
func (m *member) current(b *Batch) (item int, ok bool) {
	if m.caps.Revocable {
		return b.last()
	}
	return b.done, b == m.oldest()
}

// accepts says whether the worker may be sent more.
func (m *member) accepts() bool {
	return m.serving() && m.stop == nil && !m.unresponsive
}

// stays says whether the worker is neither gone nor on its way out.
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
