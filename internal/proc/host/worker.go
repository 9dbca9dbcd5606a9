package host

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/spin"
	"github.com/gomultiprocessing/mp/internal/task"
)

// Worker is the parent's end of a worker process. It implements pool.Worker.
type Worker struct {
	program Program
	proc    *spawn.Process
	output  output // of proc
	sharing *sharing
	number  int
	max     int64
	frames  *frame.Reader
	timeout *frameTimeout // what frames reads from
	sink    pool.Sink

	writing sync.Mutex // for the socket
	frame   codec.Buffer
	scratch codec.Buffer
	telling atomic.Bool // of room, soon
	spin    spin.Spin   // polling for the outcome of what is sent; the sender's
	reader  *reader

	mu       sync.Mutex   // for the rest; held for moments only
	page     *proto.Page  // nil when the worker is dead
	inFlight []*sentBatch // batches in the worker, oldest first
	slots    [proto.Slots]*sentBatch
	opened   uint64 // batches so far

	asked    uint64                 // for the stack, so often
	stacks   map[uint64]chan string // by request: where the answer goes
	killed   atomic.Bool            // by Kill
	given    sync.Once              // up
	undead   chan struct{}          // closed then: it was killed and does not die
	captures uint64                 // taken so far; the reader's
}

// batchesInFlight counts the batches of all workers of this process. Only the sender of a single
// one polls for its outcome: when more is in flight there is better use for the processors.
var batchesInFlight atomic.Int64

// sentBatch is a batch in flight.
type sentBatch struct {
	id    uint64 // of all batches of this worker: slots are used again
	batch *pool.Batch
	slot  int
	done  int           // outcomes taken from the ring
	limit int           // items that may be begun, as this side has lowered it
	mark  uint16        // of the claims
	voids map[int]error // why items could not be encoded

	span int // where the next outcome belongs: the span,
	at   int // and the place in it

	opened int64 // when it was, on the shared clock
	begun  int   // items that were seen to be begun
	seen   int   // the item, from 1, that was last seen running
	seenAt int64 // and when it was seen first
}

// lower is Claims.Limit, and what this side knows of it: the worker can write the
// page as well. It is called with the worker's lock held.
func (f *sentBatch) lower(p *proto.Page, n int) int {
	limit, before := p.Claims[f.slot].Limit(n)
	f.note(before)
	f.limit = max(f.done, f.begun, min(f.limit, limit))
	return f.limit
}

// noteBegun notes how many items are begun, and returns it.
func (f *sentBatch) noteBegun(p *proto.Page) int { return f.note(p.Claims[f.slot].Load()) }

// note notes how many items are begun, and returns it. A worker cannot take back what was seen. A
// word that nobody but a task can have written says that one runs, which hides from its deadline.
func (f *sentBatch) note(c task.Claimed) int {
	f.begun = max(f.begun, min(c.Begun(), f.limit))
	if c.Limit() != f.limit || c.Begun() == 0 && c.Mark() != f.mark {
		f.begun = max(f.begun, min(f.done+1, f.limit))
	}
	return f.begun
}

// deathGrace is how long the end of a dying worker may take to show, and its last
// words to come.
const deathGrace = 100 * time.Millisecond

func newWorker(ws Spec, p *proto.Page, sink pool.Sink) *Worker {
	w := &Worker{
		program: ws.Program, number: ws.Spec.Worker, max: ws.Max, sink: sink, page: p,
		stacks: make(map[uint64]chan string), undead: make(chan struct{}), spin: spin.New(),
	}
	w.reader = &reader{w: w, page: p}
	return w
}

// started gives the worker its process.
func (w *Worker) started(proc *spawn.Process, share *sharing) {
	w.proc, w.output = proc, proc
	share.proc, w.sharing = proc, share
	w.frames, w.timeout = newFrameReader(proc.Conn())
}

// PID implements pool.Worker.
func (w *Worker) PID() int { return w.proc.PID() }

// Capabilities implements pool.Worker: what was sent is claimed in shared memory, so that it can be taken back, and
// a process can be killed.
func (w *Worker) Capabilities() pool.Capabilities {
	return pool.Capabilities{Prefetch: pool.AnyNumber, Revocable: true, Kills: true, Sleeps: true}
}

// Open implements pool.Worker.
func (w *Worker) Open(b *pool.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened++
	f := &sentBatch{batch: b, id: w.opened, opened: proto.Now()}
	b.Tag = f
	if w.page == nil {
		return
	}
	for w.slots[f.slot] != nil {
		f.slot++ // the scheduler has no more batches in flight than there are slots
	}
	w.slots[f.slot] = f
	w.inFlight = append(w.inFlight, f)
	batchesInFlight.Add(1)
	f.limit, f.mark = b.Items(), uint16(1+rand.N(math.MaxUint16))
	w.page.Claims[f.slot].Open(f.limit, f.mark)
}

// Send implements pool.Worker. An error of the socket is the reader's to report.
func (w *Worker) Send(b *pool.Batch, read func()) int64 {
	f := b.Tag.(*sentBatch)
	size, polls := w.send(f, b, read)
	if polls {
		w.spin.Record(w.reader.poll(f))
	}
	return size
}

// send writes a batch. polls says that its outcome is to be looked for: the reader was
// relieved.
func (w *Worker) send(f *sentBatch, b *pool.Batch, read func()) (size int64, polls bool) {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.frame.Reset()
	defer func() { // what was not sent; mostly nothing
		w.frame.Settle(false)
		w.scratch.Settle(false)
	}()
	voids, rest := encodeBatch(&w.frame, &w.scratch, f, b)
	if rest.cut {
		w.sink.Unsent(b, rest.from, rest.alone)
	}
	read()
	size = w.frame.Len()
	w.mu.Lock()
	if voids != nil {
		f.voids = voids
	}
	alone := len(w.inFlight) == 1 && w.inFlight[0] == f
	w.mu.Unlock()
	if alone && batchesInFlight.Load() == 1 && b.Items() == 1 && size <= proto.InboxSize && b.Spans[0].Job.Capture == 0 && w.spin.ShouldSpin() {
		polls = w.reader.relieve()
	}
	if !alone || len(w.frame.Attachments()) > 0 || !w.put() {
		w.write(b)
	}
	w.frame.Reset()
	w.scratch.Reset()
	return size, polls
}

// write sends the batch over the socket. The reader sees an error too, but for one about
// descriptors: then a part of the batch may be there, and nothing can be sent any more.
func (w *Worker) write(b *pool.Batch) {
	attached := len(w.frame.Attachments()) > 0
	if attached && w.frame.Moves() {
		b.Moved.Store(true)
	}
	err := frame.Write(w.proc.Conn(), proto.FrameBatch, &w.frame)
	w.frame.Settle(err == nil)
	if err != nil && attached {
		w.proc.Kill()
	}
}

// put puts the batch into the inbox if it can. It must be the only one: batches that
// overtake each other would be run in the wrong order.
func (w *Worker) put() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.page != nil && w.page.Post(&w.frame)
}

// control sends a frame without making the caller wait.
func (w *Worker) control(kind byte, b *codec.Buffer) {
	go func() {
		w.writing.Lock()
		defer w.writing.Unlock()
		frame.Write(w.proc.Conn(), kind, b) // the reader sees an error too
	}()
}

// tellRoom tells the worker that there is room in the ring. One frame says it, and a worker that reads none
// cannot make this side keep many.
func (w *Worker) tellRoom() {
	if w.telling.Swap(true) {
		return
	}
	go func() {
		w.writing.Lock()
		defer w.writing.Unlock()
		w.telling.Store(false)                                   // before it is sent: what is told from now on may come too late for it
		frame.Write(w.proc.Conn(), proto.FrameRoom, proto.Empty) // the reader sees an error too
	}()
}

// Limit implements pool.Worker.
func (w *Worker) Limit(b *pool.Batch, n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := b.Tag.(*sentBatch)
	if w.page == nil {
		return f.limit // what it had begun
	}
	return f.lower(w.page, n)
}

// Running implements pool.Worker.
func (w *Worker) Running() (b *pool.Batch, item int, since time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.page == nil {
		return nil, 0, time.Time{}, false
	}
	for _, f := range w.inFlight {
		if begun := f.noteBegun(w.page); begun > f.done {
			return f.batch, begun - 1, proto.Time(w.since(f, begun)), true
		}
	}
	return nil, 0, time.Time{}, false
}

// since is when the running item was begun, on the shared clock. The worker says
// so, but can neither put it before the batch was sent nor after it was first seen:
// a task must not escape its deadline by what it writes there. The scheduler polls often.
func (w *Worker) since(f *sentBatch, begun int) int64 {
	if f.seen != begun {
		f.seen, f.seenAt = begun, proto.Now()
	}
	return max(f.opened, min(f.seenAt, int64(w.page.Since.Load())))
}

// Cancel implements pool.Worker.
func (w *Worker) Cancel(b *pool.Batch, item int) {
	var msg codec.Buffer
	msg.Uvarint(b.Tag.(*sentBatch).id)
	msg.Uvarint(uint64(item))
	w.control(proto.FrameCancel, &msg)
}

// Stack implements pool.Worker.
func (w *Worker) Stack(wait time.Duration) string {
	answer := make(chan string, 1)
	w.mu.Lock()
	w.asked++
	request := w.asked
	w.stacks[request] = answer
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.stacks, request)
		w.mu.Unlock()
	}()
	var msg codec.Buffer
	msg.Uvarint(request)
	w.control(proto.FrameStack, &msg)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case stack := <-answer:
		return stack
	case <-timer.C:
	case <-w.proc.Dead():
	}
	return ""
}

// answered hands a stack to whoever asked for it. The worker may say what it likes.
func (w *Worker) answered(request uint64, stack string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.stacks[request] <- stack:
	default:
	}
}

// Memory implements pool.Worker.
func (w *Worker) Memory() int64 {
	n, err := w.proc.Memory()
	if err != nil {
		return 0
	}
	return n
}

// Close implements pool.Worker.
func (w *Worker) Close() { w.control(proto.FrameClose, proto.Empty) }

// Kill implements pool.Worker.
func (w *Worker) Kill() {
	w.killed.Store(true)
	w.proc.Kill()                                   // an error: it is dead already, or dieTime ends the waiting
	w.proc.Conn().SetWriteDeadline(time.Unix(1, 0)) // only to free a Send sooner
	time.AfterFunc(dieTime, w.giveUp)
}

// dieTime is how long a worker may take to die when it was killed. The kernel may refuse to kill
// it, or to end it: it is in a frozen group, waits for a device, or has much memory to give back.
const dieTime = time.Second

// giveUp ends the waiting for a worker that does not die. The end of its socket ends one that runs.
func (w *Worker) giveUp() {
	select {
	case <-w.proc.Dead():
		return
	default:
	}
	w.given.Do(func() {
		close(w.undead)
		w.proc.Conn().Close()
	})
}

// exit is how the worker ended; ok is false when it was given up.
func (w *Worker) exit() (e spawn.Exit, ok bool) {
	select {
	case <-w.proc.Dead():
	case <-w.undead:
		go func() {
			<-w.proc.Dead()
			w.sharing.markDead()
		}()
		return spawn.Exit{Code: spawn.CodeUnknown, Unknown: true}, false
	}
	wait := deathGrace
	if w.killed.Load() { // it is known why, whatever it has said
		wait = killedPatience
	}
	e = w.proc.ExitSoon(wait)
	w.sharing.markDead()
	return e, true
}
