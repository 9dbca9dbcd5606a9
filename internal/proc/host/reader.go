package host

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// reader takes a worker's outcomes. It is one goroutine, but for polls, which only
// take what is in the ring; whoever does holds the lock and reports to the sink.
type reader struct {
	w       *Worker
	page    *proto.Page
	polling sync.Mutex // held while polling: the page must not be unmapped

	mu       sync.Mutex // for what follows: polling drains as well
	over     bool       // the worker's death is being reported
	bad      error      // what polling found wrong
	inPoll   bool       // a poll drains the ring
	pos      uint64     // bytes of the ring that were looked at
	tail     uint64     // bytes of the ring that there were when it was looked at last
	fresh    bool       // outcomes were committed since the worker's output was looked at
	runDone  int        // outcomes taken of the run at pos
	results  []pool.Result
	timedOut bool      // one of the results is that of a deadline
	exit     error     // what the worker's Exit has failed with; the reader's
	stash    []stashed // outcome frames whose places in the ring were not reached yet
}

// stashed is an outcome that came as a frame.
type stashed struct {
	payload []byte
	files   []*os.File
	lost    error // why it has none
}

// maxResults are reported at once.
const maxResults = 256

// read reports what the worker does until it is dead.
func (w *Worker) read() {
	r := w.reader
	w.timeout.patience = frameWait // before, there was StartTimeout
	gone := make(chan struct{})
	go func() {
		select {
		case <-w.proc.Dead():
			w.sharing.markDead()
			w.sink.Dead()
			hangUp(w.proc.Conn())
		case <-gone:
		}
	}()
	err := r.loop()
	close(gone)
	if err == errEnd && !w.dies() {
		err = errHungUp
	}
	if err != errEnd {
		w.proc.Kill() // dead, perhaps
	}
	r.last(err)
}

// dies says whether a worker whose socket is at its end is dead: it is almost, if
// no task has closed the socket. To kill it then would hide what it died of.
func (w *Worker) dies() bool {
	select {
	case <-w.proc.Dead():
		return true
	case <-w.undead:
		return false
	case <-time.After(dyingTime):
		return false
	}
}

// dyingTime is what a process may take between the end of its files and its own.
const dyingTime = 500 * time.Millisecond

// errHungUp says that a worker closed its socket and lives on.
var errHungUp = errors.New("its control socket is closed")

// loop reports until the socket is at its end, or something is wrong with what
// the worker says.
func (r *reader) loop() error {
	for {
		if more, err := r.all(); err != nil {
			return err
		} else if more {
			continue
		}
		if err := r.frame(); err != nil {
			return err
		}
		r.page.ParentSleeps.Store(0)
	}
}

// all drains the ring and says that the parent sleeps, unless there is more by then.
func (r *reader) all() (more bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.drain(); err != nil {
		return false, err
	}
	r.page.ParentSleeps.Store(1)
	if more = r.more(); more {
		r.page.ParentSleeps.Store(0)
	}
	return more, nil
}

// more says whether there is something in the ring that was not taken.
func (r *reader) more() bool {
	if r.page.Tail.Load() == r.pos {
		return false
	}
	at := r.pos % proto.RingSize
	h := proto.Unpack(proto.Word(r.page.Ring[at:]))
	if h.Kind != proto.RecordRun || at+2*proto.HeaderSize > proto.RingSize {
		return true
	}
	f := r.batchOf(h.Slot)
	if f == nil {
		return true // nonsense, which drain finds
	}
	n, open := r.committed(f, r.page.Region.Word(proto.RingAt+int(at)+proto.HeaderSize))
	return n > r.runDone || !open
}

// errEnd is the end of the socket.
var errEnd = errors.New("end")

// frame takes one frame off the socket.
func (r *reader) frame() error {
	limit := r.w.max + proto.FrameSlack
	if r.w.max < 0 {
		limit = proto.AnySize
	}
	kind, payload, err := r.w.frames.Next(limit)
	if err != nil {
		var bad *frame.Error
		if errors.As(err, &bad) || errors.Is(err, errFrameTimeout) {
			return err
		}
		return errEnd
	}
	switch kind {
	case proto.FrameBell:
	case proto.FrameExit:
		if r.exit != nil {
			return errors.New("it said twice how its Exit ended")
		}
		r.exit = r.w.program.DecodeError(codec.NewReader(payload))
	case proto.FrameShare:
		return r.w.sharing.request(r.w.frames, payload)
	case proto.FrameStack:
		request, stack, err := proto.ReadStack(payload)
		if err != nil {
			return err
		}
		r.w.answered(request, stack)
	case proto.FrameOutcome:
		// One more than the ring has places for: the place of the last one is
		// committed after it was sent, but before the next one is.
		if len(r.stash) > 1 {
			return errNoPlace
		}
		files, lost := r.w.frames.Files()
		r.stash = append(r.stash, stashed{proto.Keep(payload), files, lost})
	default:
		return fmt.Errorf("a frame of kind %d", kind)
	}
	return nil
}

// last reports what a dead worker left, and its death.
func (r *reader) last(err error) {
	w := r.w
	r.mu.Lock()
	if err == errEnd || err == errHungUp {
		if r.bad != nil {
			err = r.bad
		} else if bad := r.drain(); bad != nil && bad != errEnd {
			err = bad
		}
	}
	r.over = true // a poll that is under way takes nothing any more
	r.mu.Unlock()
	w.frames.CloseFiles()
	for _, s := range r.stash {
		fdpass.CloseAll(s.files)
	}
	d := pool.Death{Exit: r.exit}
	select {
	case <-w.proc.Dead(): // all that it has printed is there
		w.handOn(r.patience())
	case <-w.undead:
	case <-time.After(dyingTime):
	}
	begun := time.Now()
	e, gone := w.exit()
	if err == errHungUp && e.Signal != syscall.SIGKILL {
		err = errEnd // it took its time to die
	}
	d.Raced = e.Raced
	if e.Code != 0 || e.Raced || err != nil && err != errEnd {
		d.Err = w.program.Died(w.proc.PID(), e)
	}
	if err != nil && err != errEnd {
		d.Err = errtext.Errorf("mp: worker %d was killed because it broke the protocol: %w: %w", w.number, err, d.Err)
	}
	if !gone {
		d.Err = fmt.Errorf("mp: worker %d (pid %d) was killed and is not dead after %v", w.number, w.proc.PID(), dieTime)
	}
	region, ran := w.abandon(&d)
	if d.Running {
		if d.Err == nil {
			d.Err = w.program.Died(w.proc.PID(), e) // a task called os.Exit(0)
		}
		d.Measure = w.fragment(d.Batch, d.Item, ran, max(0, deathGrace-time.Since(begun)))
	}
	w.proc.Conn().Close()
	r.polling.Lock()
	region.Close()
	r.polling.Unlock()
	w.sink.Died(d)
}

// abandon ends what is in flight at a dead worker. It notes which item ran, and returns how long it
// had, and the memory that was shared with the worker.
func (w *Worker) abandon(d *pool.Death) (region *shm.Region, ran int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.inFlight {
		f.lower(w.page, 0)
		if begun := f.noteBegun(w.page); begun > f.done && !d.Running {
			d.Running, d.Batch, d.Item = true, f.batch, begun-1
			ran = proto.Now() - w.since(f, begun)
		}
	}
	region = w.page.Region
	w.page = nil
	batchesInFlight.Add(-int64(len(w.inFlight)))
	w.inFlight = nil
	return region, ran
}

// fragment is what is known of an item that did not come to its end: how long it
// ran, and with Capture what it printed.
func (w *Worker) fragment(b *pool.Batch, item int, ran int64, wait time.Duration) *pool.Measure {
	m := &pool.Measure{Wall: time.Duration(ran)}
	if sp, _ := b.At(item); sp.Job.Capture > 0 {
		m.Stdout, m.Stderr, _ = w.proc.TakeCapture(w.captures+1, wait)
	}
	return m
}

var errNoPlace = errors.New("outcomes without a place")
