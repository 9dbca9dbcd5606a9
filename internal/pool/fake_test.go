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
	lies  []int // counts of false results that the worker reports
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

// fake is a worker: one goroutine that claims items and performs them.
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
	cut          atomic.Bool  // only part of it is sent, so Limit may be called
	cancelled    map[int]bool // items that must not begin
}

func (f *fake) PID() int { return 1000 + f.n }

func (f *fake) Capabilities() pool.Capabilities { return f.caps }

// Open checks that the worker is not sent more than its capabilities allow.
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

// silence is the sink of a worker that was given up. It drops all reports.
type silence struct{ pool.Sink }

func (silence) Started(*pool.Batch, int)                        {}
func (silence) Results([]pool.Result)                           {}
func (silence) Ended(*pool.Batch, time.Duration, time.Duration) {}
func (silence) Unsent(b *pool.Batch, from int, moves bool)      {}
func (silence) Dead()                                           {}
func (silence) Died(pool.Death)                                 {}

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
