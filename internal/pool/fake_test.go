package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// act is what one attempt of a task does.
type act struct {
	takes time.Duration
	err   error
	final bool
	obeys bool  // ends when it is cancelled
	dies  bool  // the worker dies when takes is over
	lies  []int // counts of results that it reports and that are none
	grows int64 // the worker's memory from its begin on
}

// script says what each attempt of each task of a job does. It is the Job's Call.
type script func(index, attempt int) act

var (
	errFake   = errors.New("the task failed")
	errDied   = errors.New("the worker died")
	errCancel = errors.New("the task saw its cancellation")
	errStart  = errors.New("the worker could not be started")
)

// token is the value of an item that succeeded.
type token struct {
	job     *pool.Job
	first   int
	attempt int
}

// fake is a worker: one goroutine that claims items and acts them.
type fake struct {
	lab  *lab
	n    int
	sink pool.Sink
	caps pool.Capabilities
	says chan struct{} // holds one token while it reports: a mutex would stop virtual time

	wake chan struct{}
	dead chan struct{} // closed by Kill
	gone chan struct{} // closed after Died

	mu      sync.Mutex
	queue   []*flight // sent
	cur     *flight   // the item being run
	since   time.Time
	cancel  chan struct{} // of the running item
	closing bool
	stopped chan struct{} // not nil: like SIGSTOP, until it is closed
	memory  int64
	killed  bool
	opened  []*flight // not ended
	pending []pool.Result
}

// flight is the worker's side of a batch: what a transport keeps in shared memory.
type flight struct {
	b            *pool.Batch
	begun, limit int
	reported     int
	busy         time.Duration
	ended        bool
	cut          atomic.Bool  // not all of it is sent, so that Limit may be called
	cancelled    map[int]bool // items that are not to be begun
}

func (f *fake) PID() int { return 1000 + f.n }

func (f *fake) Capabilities() pool.Capabilities { return f.caps }

// Open checks that the worker is not sent more than it says.
func (f *fake) Open(b *pool.Batch) {
	fl := &flight{b: b, limit: b.Items(), cancelled: make(map[int]bool)}
	b.Tag = fl
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened = append(f.opened, fl)
	has := 0
	for _, fl := range f.opened {
		has += max(0, fl.limit-fl.reported)
	}
	most := 1 + f.caps.Prefetch
	if !f.caps.Revocable {
		most = min(most, 2)
	}
	if has > most {
		f.lab.t.Errorf("a worker with %+v has %d tasks", f.caps, has)
	}
	f.lab.most.Store(max(f.lab.most.Load(), int64(has)))
}

func (f *fake) Send(b *pool.Batch, read func()) int64 {
	f.lab.noteBatch(b)
	f.lab.noteReading(b, 1)
	if d := f.lab.slowRead.Load(); d > 0 {
		time.Sleep(time.Duration(d))
	}
	f.lab.noteReading(b, -1)
	if sp := b.Spans[0]; b.Items() > 1 && f.lab.movesFrom.Load() > 0 {
		b.Tag.(*flight).cut.Store(true)
		f.say(func() { f.sink.Unsent(b, min(int(f.lab.movesFrom.Load()), sp.N), true) })
	}
	if f.lab.exitInSend.CompareAndSwap(true, false) {
		b.Tag.(*flight).cut.Store(true)
		runtime.Goexit()
	}
	read()
	if n := f.lab.bigInput.Load(); n > 0 {
		f.mu.Lock()
		f.memory += n
		f.mu.Unlock()
	}
	if d := f.lab.slowSend.Load(); d > 0 {
		select {
		case <-time.After(time.Duration(d)):
		case <-f.dead:
		}
	}
	if f.lab.dieInEachSend.Load() || f.lab.dieInSend.CompareAndSwap(true, false) {
		f.Kill()
		return 0
	}
	f.mu.Lock()
	f.queue = append(f.queue, b.Tag.(*flight))
	f.mu.Unlock()
	f.nudge()
	return int64(b.Items())
}

func (f *fake) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *fake) Limit(b *pool.Batch, n int) int {
	fl := b.Tag.(*flight)
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.ended {
		f.lab.t.Errorf("Limit of a batch that has ended")
	}
	if !f.caps.Revocable && !f.killed && !fl.cut.Load() {
		f.lab.t.Errorf("Limit of a worker from which nothing can be taken back")
		return fl.limit
	}
	fl.limit = max(fl.begun, min(fl.limit, n))
	return fl.limit
}

func (f *fake) Running() (*pool.Batch, int, time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cur == nil {
		return nil, 0, time.Time{}, false
	}
	return f.cur.b, f.cur.begun - 1, f.since, true
}

func (f *fake) Cancel(b *pool.Batch, item int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cur != nil && f.cur.b == b && f.cur.begun-1 == item && f.cancel != nil {
		close(f.cancel)
		f.cancel = nil
	}
	if fl := b.Tag.(*flight); !f.caps.Revocable && item >= fl.begun {
		fl.cancelled[item] = true
	}
}

func (f *fake) Stack(time.Duration) string { return fmt.Sprintf("stack of worker %d", f.n) }

func (f *fake) Memory() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.memory
}

func (f *fake) Close() {
	f.mu.Lock()
	f.closing = true
	f.mu.Unlock()
	f.nudge()
}

func (f *fake) Kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.killed {
		return
	}
	f.killed = true
	close(f.dead)
	if !f.caps.Kills {
		go f.giveUp()
	}
}

// giveUp reports the death of a worker whose task runs on.
func (f *fake) giveUp() {
	f.say(func() {
		f.mu.Lock()
		d := pool.Death{Err: errDied}
		if f.cur != nil {
			d.Batch, d.Item, d.Running = f.cur.b, f.cur.begun-1, true
		}
		f.sink, f.cur = silence{f.sink}, nil
		f.mu.Unlock()
		f.bury(f.sink.(silence).Sink, d)
	})
}

// silence is the sink of a worker that was given up: nothing more is heard of it.
type silence struct{ pool.Sink }

func (silence) Started(*pool.Batch, int)                        {}
func (silence) Results([]pool.Result)                           {}
func (silence) Ended(*pool.Batch, time.Duration, time.Duration) {}
func (silence) Unsent(b *pool.Batch, from int, moves bool)      {}
func (silence) Dead()                                           {}
func (silence) Died(pool.Death)                                 {}

// say has f report one thing after the other.
func (f *fake) say(report func()) {
	f.says <- struct{}{}
	defer func() { <-f.says }()
	report()
}

// bury tells of the worker's death.
func (f *fake) bury(sink pool.Sink, d pool.Death) {
	if !f.lab.lossy {
		f.flushTo(sink)
	}
	sink.Dead()
	f.lab.remove(f)
	f.lab.noteDeath(f, d)
	sink.Died(d)
}

// stop is SIGSTOP, cont SIGCONT.
func (f *fake) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped == nil {
		f.stopped = make(chan struct{})
	}
}

func (f *fake) cont() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped != nil {
		close(f.stopped)
		f.stopped = nil
	}
}

// runs waits while the worker is stopped and reports whether it still lives.
func (f *fake) runs() bool {
	for {
		f.mu.Lock()
		stopped := f.stopped
		f.mu.Unlock()
		if stopped != nil {
			select {
			case <-stopped:
				continue
			case <-f.dead:
			}
		}
		select {
		case <-f.dead:
			return false
		default:
			return true
		}
	}
}

func (f *fake) serve() {
	defer close(f.gone)
	for f.runs() {
		f.mu.Lock()
		if len(f.queue) == 0 {
			closing := f.closing
			f.mu.Unlock()
			if closing {
				f.lab.remove(f)
				f.end()
				return
			}
			select {
			case <-f.wake:
			case <-f.dead:
			}
			continue
		}
		fl := f.queue[0]
		if f.stopped != nil || f.killed {
			f.mu.Unlock()
			continue
		}
		if fl.begun >= fl.limit {
			f.queue = f.queue[1:]
			f.mu.Unlock()
			f.flush()
			f.mu.Lock()
			fl.ended = true
			f.opened = slices.DeleteFunc(f.opened, func(other *flight) bool { return other == fl })
			f.mu.Unlock()
			time.Sleep(f.lab.lag)
			f.say(func() { f.sink.Ended(fl.b, fl.busy, f.lab.spent(fl.busy)) })
			continue
		}
		item := fl.begun
		fl.begun++
		f.cur, f.since, f.cancel = fl, time.Now(), make(chan struct{})
		cancel, skip := f.cancel, fl.cancelled[item]
		f.mu.Unlock()
		if skip {
			sp, at := fl.b.At(item)
			f.ended(fl.b, item, sp, sp.First+at, pool.Result{Err: errCancel})
			continue
		}
		if !f.run(fl, item, cancel) {
			return
		}
	}
	f.die(pool.Death{Err: errDied})
}

func (f *fake) die(d pool.Death) {
	f.mu.Lock()
	if f.killed && !f.caps.Kills {
		f.mu.Unlock()
		return // giveUp tells of it
	}
	if !f.killed {
		f.killed = true
		close(f.dead)
	}
	f.mu.Unlock()
	f.say(func() {
		f.mu.Lock()
		f.cur = nil
		f.mu.Unlock()
		f.bury(f.sink, d)
	})
}

// run acts one item. It reports whether the worker lives on.
func (f *fake) run(fl *flight, item int, cancel chan struct{}) bool {
	sp, at := fl.b.At(item)
	index := sp.First + at
	a := sp.Job.Client.(*track).script(index, sp.Attempt)
	f.lab.began(f, sp.Job, index, sp.Attempt)
	if a.takes > 0 && !f.lab.hold || a.takes > 10*time.Millisecond || a.dies && !f.lab.lossy || fl.b.Report {
		f.flush()
	}
	if fl.b.Report {
		f.lab.reports.Add(1)
		f.say(func() { f.sink.Started(fl.b, item) })
	}
	if a.grows > 0 {
		f.mu.Lock()
		f.memory = a.grows
		f.mu.Unlock()
	}
	for _, n := range a.lies {
		f.say(func() { f.sink.Results([]pool.Result{{Batch: fl.b, Count: n}}) })
	}
	if !a.obeys {
		cancel = nil
	}
	began := time.Now()
	err := a.err
	dead := f.dead
	if !f.caps.Kills {
		dead = nil
	}
	if a.takes > 0 {
		select {
		case <-time.After(a.takes):
		case <-cancel:
			err = errCancel
		case <-dead:
		}
	}
	if !f.runs() || a.dies {
		f.die(pool.Death{Err: errDied, Batch: fl.b, Item: item, Running: true})
		return false
	}
	fl.busy += time.Since(began)
	if f.caps.Kills {
		f.mu.Lock()
		f.cur, f.cancel = nil, nil
		f.mu.Unlock()
	}
	if f.lab.lag > 0 {
		time.Sleep(f.lab.lag)
	}
	f.ended(fl.b, item, sp, index, pool.Result{Err: err, Final: a.final})
	if !f.lab.hold && (err != nil || a.takes > 0) || fl.b.Report {
		f.flush()
	}
	return true
}

// ended notes the end of an item.
func (f *fake) ended(b *pool.Batch, item int, sp *pool.Span, index int, r pool.Result) {
	f.say(func() {
		f.mu.Lock()
		f.cur, f.cancel = nil, nil
		f.mu.Unlock()
		f.report(b, item, sp, index, r)
	})
}

// end is the death of a worker that was asked to end.
func (f *fake) end() {
	f.mu.Lock()
	given := f.killed && !f.caps.Kills
	f.killed = true
	f.mu.Unlock()
	if !given {
		f.say(func() { f.sink.Died(pool.Death{}) })
	}
}

// report collects the result of an item; runs of successes are one.
func (f *fake) report(b *pool.Batch, item int, sp *pool.Span, index int, r pool.Result) {
	r.Batch, r.Count = b, 1
	if r.Err == nil {
		if k := len(f.pending) - 1; k >= 0 && f.pending[k].Batch == b && f.pending[k].Err == nil {
			t := f.pending[k].Value.(token)
			if t.job == sp.Job && t.attempt == sp.Attempt && t.first+f.pending[k].Count == index && index > sp.First {
				f.pending[k].Count++
				return
			}
		}
		r.Value = token{sp.Job, index, sp.Attempt}
		if sp.Job.RunsUserCode {
			r.Payload = []byte{1}
		}
	}
	f.pending = append(f.pending, r)
}

func (f *fake) flush() { f.say(func() { f.flushTo(f.sink) }) }

func (f *fake) flushTo(sink pool.Sink) {
	if len(f.pending) > 0 {
		f.mu.Lock()
		for _, r := range f.pending {
			r.Batch.Tag.(*flight).reported += r.Count
		}
		f.mu.Unlock()
		sink.Results(f.pending)
		clear(f.pending)
		f.pending = f.pending[:0]
	}
}

// startFake is the lab's StartFunc.
func (l *lab) startFake(ctx context.Context, n int, sink pool.Sink) (pool.Worker, error) {
	delay, err := l.beforeStart(n)
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	f := &fake{
		lab: l, n: n, sink: sink, caps: l.caps, says: make(chan struct{}, 1),
		wake: make(chan struct{}, 1), dead: make(chan struct{}), gone: make(chan struct{}),
	}
	if l.startStopped.Add(-1) >= 0 {
		f.stop()
	}
	l.mu.Lock()
	l.workers = append(l.workers, f)
	l.mu.Unlock()
	go f.serve()
	return f, nil
}

func (l *lab) remove(f *fake) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.workers, f); i >= 0 {
		l.workers = slices.Delete(l.workers, i, i+1)
	}
}

var _ pool.Worker = (*fake)(nil)

func TestMain(m *testing.M) { leaks(m) }
