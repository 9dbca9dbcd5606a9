package talk

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/run"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/waitq"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// executor runs a worker's tasks, one at a time. Its loop moves to a new
// goroutine when a task ends its own by runtime.Goexit.
type executor struct {
	program Program
	self    *spawn.Self
	server  *server
	page    *page
	out     outbox
	bell    bell
	queue   chan *assignment
	hot     waitq.Spin  // looking for the next batch
	spare   chan []byte // memory of batches that are through, for the next ones
	max     int64       // bytes of one outcome
	labels  bool        // what tasks print gets labels
	scratch wire.Buffer

	// The batch, the span and the item that are run.
	batch     *assignment
	handle    Handler
	broken    error // why no function of the batch can be called
	next      int   // the span after the present one
	task      *task
	calls     Calls
	opened    error         // why the inputs of the span could not be decoded
	offset    int           // the item's place in the span
	item      int           // and in the batch
	begun     int64         // when the batch was begun
	spent     time.Duration // of processors until then; 0: this batch is not measured
	due       int64         // when the item's timeout ends; 0: never
	info      *run.Common
	size      int      // of an output that travels as memory; 0: it does not
	set       *run.Set // the item's ctx is one of these,
	ctxAt     int      // at this place
	ctxs      run.Sets
	inCall    bool
	callStack string // where a call was that has not returned
	meter     meter

	sinceSample int    // batches since the last one that was measured
	sampled     string // and its function

	goid atomic.Pointer[string]
}

// loop runs batches until the queue is closed, or until a task ends the goroutine.
func (x *executor) loop() {
	id := run.Goroutine()
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
	x.out.closeRun()
	x.server.leave()
	x.server.finish()
}

// open begins a batch.
func (x *executor) open(a *assignment) {
	x.batch, x.next, x.item, x.task, x.begun = a, 0, 0, nil, now()
	x.program.Begin()
	if x.sinceSample++; x.sinceSample >= sampleEvery || a.fn != x.sampled && (x.sinceSample >= sampleOther || x.sampled == "") {
		x.sampled, x.sinceSample, x.spent = a.fn, 0, max(1, spentCPU())
	}
	x.handle, x.broken = x.program.Lookup(a.fn)
}

// One of so many batches of one function in a row is measured, and of another one: to ask for the
// time of processors costs as much as a small task does.
const (
	sampleEvery = 32
	sampleOther = 8
)

// close ends a batch.
func (x *executor) close() {
	busy, cpu := now()-x.begun, time.Duration(0)
	if x.spent > 0 {
		cpu, x.spent = max(1, spentCPU()-x.spent), 0
	}
	x.ctxs.Forget() // before the slot may be another batch's
	x.leave()
	x.set = nil
	x.out.put(record{kind: recordEnded, slot: x.batch.slot, size: 16}, func(b []byte) {
		putWord(b, uint64(busy))
		putWord(b[8:], uint64(cpu))
	})
	x.batch.drop()
	if x.broken == nil && x.handle.Copies() {
		x.recycle(x.batch.memory)
	}
	x.batch, x.calls, x.task = nil, nil, nil
	x.bell.note(len(x.queue) == 0)
}

// What a batch of small tasks takes, and one more while that one is run, is kept.
const (
	spares   = 2
	maxSpare = 2 << 20 // bytes
)

// recycle keeps the memory of a batch for another: to clear and to collect that of
// each would cost more than a small task does.
func (x *executor) recycle(memory []byte) {
	if cap(memory) > maxSpare || !wire.IsLarge(memory) {
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
		if dst := x.out.following(x.batch.slot, x.size); dst != nil {
			x.inCall = true
			err := x.calls.CallMemory(x.ctx(), x.offset, dst)
			x.inCall = false
			if err != nil {
				x.ended(err)
			} else if x.out.add(); !x.out.pending {
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
	if x.task.apart != nil {
		return 0
	}
	return x.offset
}

// claim begins the next item of the batch, if there is one that may be begun.
func (x *executor) claim() bool {
	t := x.task
	enter := t == nil || x.offset+1 >= t.n
	if enter {
		if x.next >= len(x.batch.tasks) {
			return false
		}
		t = &x.batch.tasks[x.next]
	}
	if enter || t.timeout > 0 || x.batch.report {
		x.page.since.Store(uint64(now())) // before the claim: who sees the claim sees when
	}
	if _, ok := x.page.claims[x.batch.slot].Claim(); !ok {
		return false
	}
	if x.out.claimed() {
		x.bell.note(false)
	}
	if x.task != nil {
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
func (x *executor) enter(t *task) {
	x.next++
	x.task, x.offset, x.calls, x.opened = t, 0, nil, x.broken
	x.info = &run.Common{
		Program: x.program, Clock: sharedClock{}, Func: x.batch.fn, Worker: x.self.Worker,
		Attempt: t.attempt, Deadline: t.deadline, Timeout: t.timeout, Singles: t.singles, Propagated: t.propagated,
	}
	if x.broken == nil && t.apart == nil {
		r := wire.NewReader(t.body)
		r.Alias = true
		x.calls, x.opened = x.handle.Open(r, t.n)
	}
	x.size = 0
	if x.calls != nil && x.opened == nil && t.measure == measureNone && t.capture == 0 {
		if n := x.calls.Memory(); n <= maxRun && (x.max <= 0 || int64(n) <= x.max) {
			x.size = n
		}
	}
}

// prepare makes the item's ctx and what is measured of it.
func (x *executor) prepare() {
	t := x.task
	if x.set != nil && x.set.Live() {
		x.leave()
	}
	if x.offset > 0 && x.set != nil && x.set.Has(x.item) {
		x.ctxAt = x.item - x.set.First
	} else {
		x.set = x.ctxs.More(&run.Set{
			Common: x.info, Claims: x.page.claims[x.batch.slot], Batch: x.batch.id, First: x.item, Index: t.first + x.offset,
		}, t.n-x.offset)
		x.ctxAt = 0
	}
	if t.timeout > 0 {
		x.due = later(int64(x.page.since.Load()), t.timeout)
		x.set.SetDeadline(x.ctxAt, x.due)
	}
	if x.batch.report {
		x.out.put(record{kind: recordBegin, slot: x.batch.slot}, nil)
		x.bell.note(false)
	}
	if x.labels {
		x.self.BeginTask(x.batch.id, x.item) // an error: its output is closed
	}
	if t.measure != measureNone || t.capture > 0 {
		x.meter.begin(x.self, t)
	}
}

// ctx is the item's ctx.
func (x *executor) ctx() *run.Context { return x.set.At(x.ctxAt) }

// leave ends the ctx of the call before, if anybody looks at it. It comes after the
// claim of the next item, or after forget: see run.Context.
func (x *executor) leave() {
	if x.set != nil {
		x.set.Returned(x.ctxAt)
	}
}

// refusal says why an item's function cannot be called.
func (x *executor) refusal() error {
	if t := x.task; t.apart != nil && x.broken == nil {
		in := t.apart[x.offset]
		if in == nil {
			return errVoid
		}
		x.calls, x.opened = x.openApart(in)
	}
	return x.opened
}

// stack is where the running task is, or as much of it as fits.
func (x *executor) stack() string {
	id := x.goid.Load()
	if id == nil {
		return ""
	}
	return run.StackOf(*id)
}

// ended commits the item's outcome.
func (x *executor) ended(err error) {
	flags := 0
	if err != nil && x.task.timeout > 0 && x.due != 0 && now() >= x.due && x.late() {
		flags = flagTimeout
	}
	x.commit(err, flags)
	if err != nil && run.Runaways() > 0 {
		x.end()
	}
	x.noted()
}

// late says whether the item's time is over, without that for which the program was stopped.
func (x *executor) late() bool { return shm.Elapsed(at(x.due-int64(x.task.timeout))) >= x.task.timeout }

// noted rings for an outcome, unless something that rings comes next: the claim
// that commits it, or close.
func (x *executor) noted() {
	if !x.out.pending && (x.offset+1 < x.task.n || x.next < len(x.batch.tasks)) {
		x.bell.note(false)
	}
}

// end ends this process, in which code of the program's goes on that does not return: another
// worker takes its place. What has ended is committed.
func (x *executor) end() {
	x.out.closeRun()
	x.bell.now()
	fmt.Fprintln(os.Stderr, "mp: a method of what a task panicked with or returned as its error does not return: its worker ends")
	os.Exit(1)
}
