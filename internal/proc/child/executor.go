package child

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/spin"
	"github.com/gomultiprocessing/mp/internal/task"
)

// executor runs a worker's tasks, one at a time. Its loop moves to a new
// goroutine when a task ends its own by runtime.Goexit.
type executor struct {
	program Program
	self    *spawn.Self
	server  *server
	page    *proto.Page
	ring    *proto.RingWriter
	bell    *proto.Doorbell
	queue   chan *proto.Batch
	spin    spin.Spin   // looking for the next batch
	spare   chan []byte // memory of batches that are through, for the next ones
	max     int64       // bytes of one outcome
	labels  bool        // what tasks print gets labels
	scratch codec.Buffer

	// The batch, the span and the item that are run.
	batch     *proto.Batch
	handle    Handler
	broken    error // why no function of the batch can be called
	next      int   // the span after the present one
	span      *proto.Span
	calls     Calls
	opened    error         // why the inputs of the span could not be decoded
	offset    int           // the item's place in the span
	item      int           // and in the batch
	begun     int64         // when the batch was begun
	spent     time.Duration // of processors until then; 0: this batch is not measured
	due       int64         // when the item's timeout ends; 0: never
	info      *task.Common
	size      int       // of an output that travels as memory; 0: it does not
	set       *task.Set // the item's ctx is one of these,
	ctxAt     int       // at this place
	ctxs      task.Sets
	inCall    bool
	callStack string // where a call was that has not returned
	meter     meter

	sinceSample int    // batches since the last one that was measured
	sampled     string // and its function

	goid atomic.Pointer[string]
}

// loop runs batches until the queue is closed, or until a task ends the goroutine.
func (x *executor) loop() {
	id := task.Goroutine()
	x.goid.Store(&id)
	defer x.exited(&id)
	for {
		if x.batch == nil {
			a, ok := x.await()
			if !ok {
				break
			}
			x.open(a)
		}
		for x.runSome() || x.caughtNil() {
		}
		x.close()
	}
	x.ring.CloseRun()
	x.server.leave()
	x.server.finish()
}

// open begins a batch.
func (x *executor) open(a *proto.Batch) {
	x.batch, x.next, x.item, x.span, x.begun = a, 0, 0, nil, proto.Now()
	x.program.Begin()
	if x.sinceSample++; x.sinceSample >= sampleEvery || a.Func != x.sampled && (x.sinceSample >= sampleOther || x.sampled == "") {
		x.sampled, x.sinceSample, x.spent = a.Func, 0, max(1, spentCPU())
	}
	x.handle, x.broken = x.program.Lookup(a.Func)
}

// One of so many batches of one function in a row is measured, and of another one: to ask for the
// time of processors costs as much as a small task does.
const (
	sampleEvery = 32
	sampleOther = 8
)

// close ends a batch.
func (x *executor) close() {
	busy, cpu := proto.Now()-x.begun, time.Duration(0)
	if x.spent > 0 {
		cpu, x.spent = max(1, spentCPU()-x.spent), 0
	}
	x.ctxs.Forget() // before the slot may be another batch's
	x.leave()
	x.set = nil
	x.ring.Put(proto.Record{Kind: proto.RecordEnded, Slot: x.batch.Slot, Size: 16}, func(b []byte) {
		proto.PutWord(b, uint64(busy))
		proto.PutWord(b[8:], uint64(cpu))
	})
	x.batch.Drop()
	if x.broken == nil && x.handle.Copies() {
		x.recycle(x.batch.Memory)
	}
	x.batch, x.calls, x.span = nil, nil, nil
	x.bell.Note(len(x.queue) == 0)
}

// What a batch of small tasks takes, and one more while that one is run, is kept.
const (
	spares   = 2
	maxSpare = 2 << 20 // bytes
)

// recycle keeps the memory of a batch for another: to clear and to collect that of
// each would cost more than a small task does.
func (x *executor) recycle(memory []byte) {
	if cap(memory) > maxSpare || !frame.IsLarge(memory) {
		return
	}
	select {
	case x.spare <- memory:
	default:
	}
}

// runSome runs items until there is none left, or until a call panics: then it
// says that there is more.
func (x *executor) runSome() (more bool) {
	returned := false
	defer func() {
		if x.inCall {
			more = x.caught(recover())
		} else if !returned {
			x.left(recover())
		}
	}()
	for x.claim() {
		if dst := x.ring.Following(x.batch.Slot, x.size); dst != nil {
			x.inCall = true
			err := x.calls.CallMemory(x.ctx(), x.offset, dst)
			x.inCall = false
			if err != nil {
				x.ended(err)
			} else if x.ring.Add(); !x.ring.Pending() {
				x.noted()
			}
			continue
		}
		err := x.refusal()
		if err == nil {
			x.inCall = true
			err = x.calls.Call(x.ctx(), x.place())
			x.inCall = false
		}
		x.ended(err)
	}
	returned = true
	return false
}

// left goes on after code of the program's has ended this goroutine outside of a call:
// a method that decodes an input, encodes an output or is the text of an error.
func (x *executor) left(v any) {
	if v != nil {
		panic(v) // such code cannot panic; ours has
	}
	err := x.scratch.Exited() // it says which method
	if err == nil {
		err = x.program.Exited()
	}
	if x.calls == nil {
		x.opened, x.size = err, 0 // the inputs of the span were being decoded
	}
	x.ended(err)
	x.goid.Store(nil) // x is another goroutine's from now on: see exited
	go x.loop()
}

// caught takes a panic as the item's outcome. Without one the call has panicked with nil, or
// ends this goroutine: caughtNil or exited see to that.
func (x *executor) caught(v any) (more bool) {
	x.callStack = string(debug.Stack())
	if v == nil {
		return false
	}
	x.inCall = false
	x.ended(x.program.Panicked(v, x.callStack))
	return true
}

// caughtNil takes a panic of nil as the item's outcome, if there was one: the call has not returned, and
// this goroutine goes on. It says then that there is more.
func (x *executor) caughtNil() (more bool) {
	if !x.inCall {
		return false
	}
	x.inCall = false
	x.ended(x.program.Panicked(nil, x.callStack))
	return true
}

// exited has another goroutine go on when a call ends this one, whose number is id.
func (x *executor) exited(id *string) {
	if x.goid.Load() != id {
		return // another one does already
	}
	if x.inCall {
		x.inCall = false
		x.ended(x.program.Exited())
		go x.loop()
	}
}

// place is where the item's input is in x.calls.
func (x *executor) place() int {
	if x.span.Inputs != nil {
		return 0
	}
	return x.offset
}

// claim begins the next item of the batch, if there is one that may be begun.
func (x *executor) claim() bool {
	t := x.span
	enter := t == nil || x.offset+1 >= t.N
	if enter {
		if x.next >= len(x.batch.Spans) {
			return false
		}
		t = &x.batch.Spans[x.next]
	}
	if enter || t.Timeout > 0 || x.batch.Report {
		x.page.Since.Store(uint64(proto.Now())) // before the claim: who sees the claim sees when
	}
	if _, ok := x.page.Claims[x.batch.Slot].Claim(); !ok {
		return false
	}
	if x.ring.Claimed() {
		x.bell.Note(false)
	}
	if x.span != nil {
		x.item++
	}
	if enter {
		x.enter(t)
	} else {
		x.offset++
	}
	x.prepare()
	return true
}

// enter begins a span.
func (x *executor) enter(t *proto.Span) {
	x.next++
	x.span, x.offset, x.calls, x.opened = t, 0, nil, x.broken
	x.info = &task.Common{
		Program: x.program, Clock: proto.Clock{}, Func: x.batch.Func, Worker: x.self.Worker,
		Attempt: t.Attempt, Deadline: t.Deadline, Timeout: t.Timeout, Singles: t.Singles, Propagated: t.Propagated,
	}
	if x.broken == nil && t.Inputs == nil {
		r := codec.NewReader(t.Body)
		r.Alias = true
		x.calls, x.opened = x.handle.Open(r, t.N)
	}
	x.size = 0
	if x.calls != nil && x.opened == nil && t.Measure == proto.MeasureNone && t.Capture == 0 {
		if n := x.calls.Memory(); n <= proto.MaxRun && (x.max <= 0 || int64(n) <= x.max) {
			x.size = n
		}
	}
}

// prepare makes the item's ctx and what is measured of it.
func (x *executor) prepare() {
	t := x.span
	if x.set != nil && x.set.Live() {
		x.leave()
	}
	if x.offset > 0 && x.set != nil && x.set.Has(x.item) {
		x.ctxAt = x.item - x.set.First
	} else {
		x.set = x.ctxs.More(&task.Set{
			Common: x.info, Claims: x.page.Claims[x.batch.Slot], Batch: x.batch.ID, First: x.item, Index: t.First + x.offset,
		}, t.N-x.offset)
		x.ctxAt = 0
	}
	if t.Timeout > 0 {
		x.due = proto.Later(int64(x.page.Since.Load()), t.Timeout)
		x.set.SetDeadline(x.ctxAt, x.due)
	}
	if x.batch.Report {
		x.ring.Put(proto.Record{Kind: proto.RecordBegin, Slot: x.batch.Slot}, nil)
		x.bell.Note(false)
	}
	if x.labels {
		x.self.BeginTask(x.batch.ID, x.item) // an error: its output is closed
	}
	if t.Measure != proto.MeasureNone || t.Capture > 0 {
		x.meter.begin(x.self, t)
	}
}

// ctx is the item's ctx.
func (x *executor) ctx() *task.Context { return x.set.At(x.ctxAt) }

// leave ends the ctx of the call before, if anybody looks at it. It comes after the
// claim of the next item, or after forget: see task.Context.
func (x *executor) leave() {
	if x.set != nil {
		x.set.Returned(x.ctxAt)
	}
}

// refusal says why an item's function cannot be called.
func (x *executor) refusal() error {
	if t := x.span; t.Inputs != nil && x.broken == nil {
		in := t.Inputs[x.offset]
		if in == nil {
			return errVoid
		}
		x.calls, x.opened = x.openSingly(in)
	}
	return x.opened
}

// stack is where the running task is, or as much of it as fits.
func (x *executor) stack() string {
	id := x.goid.Load()
	if id == nil {
		return ""
	}
	return task.StackOf(*id)
}

// ended commits the item's outcome.
func (x *executor) ended(err error) {
	flags := 0
	if err != nil && x.span.Timeout > 0 && x.due != 0 && proto.Now() >= x.due && x.late() {
		flags = proto.FlagTimeout
	}
	x.commit(err, flags)
	if err != nil && task.Runaways() > 0 {
		x.end()
	}
	x.noted()
}

// late says whether the item's time is over, without that for which the program was stopped.
func (x *executor) late() bool {
	return shm.Elapsed(proto.Time(x.due-int64(x.span.Timeout))) >= x.span.Timeout
}

// noted rings for an outcome, unless something that rings comes next: the claim
// that commits it, or close.
func (x *executor) noted() {
	if !x.ring.Pending() && (x.offset+1 < x.span.N || x.next < len(x.batch.Spans)) {
		x.bell.Note(false)
	}
}

// end ends this process, in which code of the program's goes on that does not return: another
// worker takes its place. What has ended is committed.
func (x *executor) end() {
	x.ring.CloseRun()
	x.bell.Ring()
	fmt.Fprintln(os.Stderr, "mp: a method of what a task panicked with or returned as its error does not return: its worker ends")
	os.Exit(1)
}
