package host

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

// drain reports all that is in the ring. The worker is not trusted: every word
// is read once and checked.
func (r *reader) drain() error {
	for {
		tail := r.tail
		if tail == r.pos {
			tail = r.page.Tail.Load()
			r.tail, r.fresh = tail, true
		}
		if tail-r.pos > proto.RingSize {
			return errors.New("the ring's tail is nonsense")
		}
		if tail == r.pos {
			r.flush()
			return nil
		}
		at := r.pos % proto.RingSize
		if proto.RingSize-at < proto.HeaderSize {
			return errors.New("the ring's tail is not at a word")
		}
		h := proto.Unpack(proto.Word(r.page.Ring[at:]))
		if h.Length() > int(min(tail-r.pos, proto.RingSize-at)) {
			return fmt.Errorf("a record of %d bytes", h.Size)
		}
		payload := r.page.Ring[at+proto.HeaderSize : at+proto.HeaderSize+uint64(h.Size)]
		open, err := r.take(h, payload)
		if err != nil {
			return err
		}
		if open {
			r.flush()
			return nil
		}
		r.pos += uint64(h.Length())
		if len(r.results) >= maxResults {
			r.flush()
		}
	}
}

// flush reports the results so far and gives their memory back to the worker.
func (r *reader) flush() {
	r.report()
	if r.page.Head.Load() != r.pos {
		r.page.Head.Store(r.pos)
	}
	if r.page.WorkerSleeps.Load() == 1 && r.page.WorkerSleeps.CompareAndSwap(1, 0) {
		r.w.tellRoom()
	}
}

// take takes one record. open says that it is a run that goes on.
func (r *reader) take(h proto.Record, payload []byte) (open bool, err error) {
	if h.Kind == proto.RecordSkip {
		return false, nil
	}
	f := r.batchOf(h.Slot)
	if f == nil {
		return false, fmt.Errorf("a record for slot %d, which has no batch", h.Slot)
	}
	if h.Size > most(h, f) {
		return false, fmt.Errorf("a record of kind %d with %d bytes", h.Kind, h.Size)
	}
	switch h.Kind {
	case proto.RecordResult, proto.RecordFailure, proto.RecordVoid:
		return false, r.outcome(f, h, payload)
	case proto.RecordRun:
		return r.run(f, payload)
	case proto.RecordBegin:
		r.report()
		if f.done >= f.batch.Items() {
			return false, errors.New("more items than the batch has")
		}
		r.w.sink.Started(f.batch, f.done)
		return false, nil
	case proto.RecordBig:
		return false, r.big(f)
	case proto.RecordEnded:
		return false, r.ended(f, payload)
	}
	return false, fmt.Errorf("a record of kind %d", h.Kind)
}

// most is how many bytes a record may have. What is larger comes as a frame: its memory
// is then nobody else's, while a worker could go on writing to that of the ring.
func most(h proto.Record, f *sentBatch) int {
	if h.Kind == proto.RecordRun {
		return 8 + max(proto.MaxRun, runSize(f))
	}
	return proto.MaxInline
}

func (r *reader) batchOf(slot int) *sentBatch {
	if slot >= proto.Slots {
		return nil
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.slots[slot]
}

// report reports the results so far; their memory stays the parent's. What their tasks have
// printed is handed on first: once is enough for all that was committed before it.
func (r *reader) report() {
	if len(r.results) > 0 {
		if r.fresh {
			r.w.handOn(r.patience())
			r.fresh, r.timedOut = false, false
		}
		r.w.sink.Results(r.results)
		clear(r.results)
		r.results = r.results[:0]
	}
}

// count notes n more outcomes of a batch.
func (r *reader) count(f *sentBatch, n int) error {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if f.done+n > f.limit || f.done+n > r.page.Claims[f.slot].Begun() {
		return errors.New("more outcomes than items were begun")
	}
	f.done += n
	f.at += n
	return nil
}

// left is how many outcomes of the present span are to come; 0: none of any.
func (f *sentBatch) left() int {
	for f.span < len(f.batch.Spans) && f.at >= f.batch.Spans[f.span].N {
		f.at -= f.batch.Spans[f.span].N
		f.span++
	}
	if f.span == len(f.batch.Spans) {
		return 0
	}
	return f.batch.Spans[f.span].N - f.at
}

// run takes what is new in a run.
func (r *reader) run(f *sentBatch, payload []byte) (open bool, err error) {
	if len(payload) <= proto.HeaderSize {
		return false, errors.New("a run without room")
	}
	n, open := r.committed(f, r.page.PayloadWord(payload))
	size := runSize(f)
	if size <= 0 || n < r.runDone || 8+n*size > len(payload) {
		return false, fmt.Errorf("a run of %d outcomes", n)
	}
	r.fresh = r.fresh || r.runDone < n
	for r.runDone < n {
		left := f.left()
		if left == 0 {
			return false, errors.New("more outcomes than the batch has items")
		}
		k := min(n-r.runDone, left)
		from := 8 + r.runDone*size
		if err := r.count(f, k); err != nil {
			return false, err
		}
		r.results = append(r.results, pool.Result{Batch: f.batch, Count: k, Payload: payload[from : from+k*size]})
		r.runDone += k
	}
	if !open {
		r.runDone = 0
	}
	return open, nil
}

// committed is how many outcomes a run has. In an open one, those of all items of the
// batch before the last claimed one: that number is read before the run's word, so
// that it is not of items after the run.
func (r *reader) committed(f *sentBatch, word *atomic.Uint64) (n int, open bool) {
	before := r.page.Claims[f.slot].Begun() - 1
	state := word.Load()
	if state&proto.RunClosed != 0 {
		return int(uint32(state)), false
	}
	return max(r.runDone, before-(f.done-r.runDone)), true
}

// runSize is the size of an output of the batch that travels as memory; 0: it does not.
func runSize(f *sentBatch) int { return f.batch.Spans[0].Job.Client.OutputSize() }

// outcome takes one item's outcome.
func (r *reader) outcome(f *sentBatch, h proto.Record, payload []byte) error {
	item := f.done
	if err := r.count(f, 1); err != nil {
		return err
	}
	res := pool.Result{Batch: f.batch, Count: 1}
	sp, _ := f.batch.At(item)
	if h.Kind == proto.RecordVoid {
		if sp.Job.Capture > 0 {
			r.w.captures++ // it was begun and is empty
		}
		r.w.mu.Lock()
		res.Err, res.Final = f.voids[item], true
		r.w.mu.Unlock()
		if res.Err == nil {
			return errors.New("an item that was sent came back as one that was not")
		}
		r.results = append(r.results, res)
		return nil
	}
	if h.Flags&proto.FlagCaptured != 0 && sp.Job.Capture <= 0 {
		return errors.New("a capture that nobody asked for")
	}
	if h.Flags&proto.FlagMeasured != 0 {
		m, rest, err := r.measure(h, payload)
		if err != nil {
			return err
		}
		res.Measure, payload = m, rest
	}
	res.Payload = payload
	if h.Kind == proto.RecordFailure {
		res.Payload = nil
		res.Err = r.w.program.DecodeError(codec.NewReader(payload))
		res.Final = h.Flags&proto.FlagFinal != 0
		if h.Flags&proto.FlagTimeout != 0 && sp.Job.Timeout > 0 {
			res.Err = r.w.program.TimedOut(sp.Job.Timeout)
			r.timedOut = true
		}
	}
	r.results = append(r.results, res)
	return nil
}

// measure takes the measures off the front of a payload.
func (r *reader) measure(h proto.Record, payload []byte) (*pool.Measure, []byte, error) {
	n := 24
	if h.Flags&proto.FlagCaptured != 0 {
		n = 32
	}
	if len(payload) < n {
		return nil, nil, errors.New("measures are missing")
	}
	m := &pool.Measure{
		Wall:      time.Duration(proto.Word(payload)),
		CPU:       time.Duration(proto.Word(payload[8:])),
		MaxMemory: int64(proto.Word(payload[16:])),
	}
	if n == 32 {
		r.w.captures = proto.Word(payload[24:])
		m.Stdout, m.Stderr, _ = r.w.proc.TakeCapture(r.w.captures, captureWait)
	}
	return m, payload[n:], nil
}

// captureWait is how long the end of a task's output may take after its outcome:
// only for a task that has closed its own output.
const captureWait = time.Second

// errOnSocket says that what comes next has to be read from the socket.
var errOnSocket = errors.New("on the socket")

// big takes an outcome that came, or comes now, as a frame.
func (r *reader) big(f *sentBatch) error {
	if r.inPoll {
		r.flush()
		return errOnSocket
	}
	for len(r.stash) == 0 {
		if err := r.frame(); err != nil {
			return err
		}
	}
	came := r.stash[0]
	r.stash = r.stash[1:]
	err := r.framed(f, came.payload, came.lost)
	if err == nil {
		if n := len(r.results); len(came.files) > 0 && r.results[n-1].Err == nil {
			r.results[n-1].Attached = Attached(came.files)
			return nil
		}
	}
	fdpass.CloseAll(came.files)
	return err
}

// framed takes an outcome that came as a frame; lost says why its descriptors did not come.
func (r *reader) framed(f *sentBatch, payload []byte, lost error) error {
	fr := codec.NewReader(payload)
	h := proto.Unpack(fr.Uint64())
	var prefix []byte
	words := 0
	if h.Flags&proto.FlagMeasured != 0 {
		words = 3
	}
	if h.Flags&proto.FlagCaptured != 0 {
		words = 4
	}
	for range words {
		var w [8]byte
		proto.PutWord(w[:], fr.Uint64())
		prefix = append(prefix, w[:]...)
	}
	body := fr.Raw()
	if err := proto.Close(proto.FrameOutcome, fr); err != nil {
		return err
	}
	if h.Slot != f.slot || h.Kind != proto.RecordResult && h.Kind != proto.RecordFailure {
		return errors.New("a frame that is no outcome")
	}
	first := prefix
	if words == 0 {
		first = body
	}
	if err := r.outcome(f, h, first); err != nil {
		return err
	}
	res := &r.results[len(r.results)-1]
	switch {
	case lost != nil:
		res.Payload, res.Err = nil, errtext.Errorf("mp: the outcome of the task has lost what it holds: %w", lost)
	case words == 0:
		res.Owned = true
	case h.Kind == proto.RecordResult:
		res.Payload, res.Owned = body, true
	case h.Flags&proto.FlagTimeout == 0:
		res.Err = r.w.program.DecodeError(codec.NewReader(body))
	}
	return nil
}

// ended takes the end of a batch.
func (r *reader) ended(f *sentBatch, payload []byte) error {
	if len(payload) < 16 {
		return errors.New("the end of a batch without its times")
	}
	busy, cpu := time.Duration(proto.Word(payload)), time.Duration(proto.Word(payload[8:]))
	r.report()
	r.w.mu.Lock()
	if f.done < f.limit || f.done < r.page.Claims[f.slot].Begun() {
		r.w.mu.Unlock()
		return errors.New("a batch ended that has items without outcome")
	}
	r.w.slots[f.slot] = nil
	for i, other := range r.w.inFlight {
		if other == f {
			r.w.inFlight = slices.Delete(r.w.inFlight, i, i+1) // and the call that it belongs to is not kept
			batchesInFlight.Add(-1)
			break
		}
	}
	r.w.mu.Unlock()
	r.w.sink.Ended(f.batch, busy, cpu)
	return nil
}
