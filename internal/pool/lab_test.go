package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func leaks(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a scheduler with fake workers, and a record of what they did.
type lab struct {
	t testingT
	s *pool.Scheduler

	slowSend      atomic.Int64
	slowRead      atomic.Int64 // the same, of reading its inputs
	movesFrom     atomic.Int64 // longer batches are cut there, and their jobs move from then on
	bigInput      atomic.Int64 // bytes by which a worker's memory grows with each Send
	dieInSend     atomic.Bool
	exitInSend    atomic.Bool // reading the inputs ends the sender
	dieInEachSend atomic.Bool

	startStopped atomic.Int32 // how many of the next workers are stopped as soon as they are ready

	lag      time.Duration // between the end of an item and its report
	hold     bool          // results are collected for a while
	computes bool          // tasks use processor time; otherwise they wait
	lossy    bool          // collected results are lost when the worker dies

	caps    pool.Capabilities // of the workers
	reports atomic.Int64      // begins that workers have reported
	most    atomic.Int64      // most tasks that a worker had at a time

	mu      sync.Mutex
	workers []*fake // alive
	starts  int
	onStart func(start int) (time.Duration, error) // start counts from 1
	quiet   bool                                   // begins are not recorded
	begins  []begin
	deaths  map[begin]bool    // with at zero
	reading map[*pool.Job]int // batches whose inputs are being read
	batches int
	largest int // most items in a span
}

type testingT interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

type begin struct {
	job            *pool.Job
	index, attempt int
	worker         *fake
	at             time.Time
}

func config(workers int) pool.Config { return pool.Config{Workers: workers} }

type errTimedOut struct {
	after time.Duration
	stack string
}

func (e *errTimedOut) Error() string { return fmt.Sprintf("timed out after %v", e.after) }

type errTooBig struct{ used, limit int64 }

func (e *errTooBig) Error() string { return fmt.Sprintf("%d of %d bytes", e.used, e.limit) }

// processes are the capabilities of worker processes on this machine.
var processes = pool.Capabilities{Prefetch: pool.AnyNumber, Revocable: true, Kills: true, Sleeps: true}

// newLab starts a scheduler. tweak may change the lab before that.
func newLab(t testingT, cfg pool.Config, tweak ...func(*lab)) *lab {
	t.Helper()
	l, err := tryLab(t, cfg, tweak...)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return l
}

func tryLab(t testingT, cfg pool.Config, tweak ...func(*lab)) (*lab, error) {
	l := &lab{t: t, deaths: make(map[begin]bool), caps: processes}
	for _, f := range tweak {
		f(l)
	}
	cfg.Start = l.startFake
	if cfg.Grace == 0 {
		cfg.Grace = time.Second
	}
	cfg.TimedOut = func(after time.Duration, stack string) error { return &errTimedOut{after, stack} }
	cfg.OverMemory = func(used, limit int64) error { return &errTooBig{used, limit} }
	var err error
	l.s, err = pool.New(cfg)
	return l, err
}

func (l *lab) beforeStart(int) (time.Duration, error) {
	l.mu.Lock()
	l.starts++
	start, f := l.starts, l.onStart
	l.mu.Unlock()
	if f == nil {
		return 0, nil
	}
	return f(start)
}

// noteReading records that the inputs of a batch are being read, or no longer are.
func (l *lab) noteReading(b *pool.Batch, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reading == nil {
		l.reading = make(map[*pool.Job]int)
	}
	for _, sp := range b.Spans {
		l.reading[sp.Job] += n
	}
}

func (l *lab) beingRead(j *pool.Job) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reading[j]
}

func (l *lab) noteBatch(b *pool.Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches++
	for i := range b.Spans {
		l.largest = max(l.largest, b.Spans[i].N)
	}
}

func (l *lab) began(f *fake, j *pool.Job, index, attempt int) {
	if l.quiet {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begins = append(l.begins, begin{j, index, attempt, f, time.Now()})
}

// seen returns all begins so far.
func (l *lab) seen() []begin {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.begins)
}

// beginsOf returns the begins of one job's tasks.
func (l *lab) beginsOf(k *track) (out []begin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.begins {
		if b.job == &k.job {
			out = append(out, b)
		}
	}
	return out
}

func (l *lab) worker(i int) *fake {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.workers[i]
}

func (l *lab) alive() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.workers)
}

// spent returns the processor time that a batch took.
func (l *lab) spent(busy time.Duration) time.Duration {
	if l.computes {
		return busy
	}
	return busy / 100
}

// end closes the pool and waits for everything.
func (l *lab) end() {
	l.t.Helper()
	l.s.Close()
	if err := l.s.Join(context.Background()); err != nil {
		l.t.Errorf("Join: %v", err)
	}
	if n := l.alive(); n > 0 {
		l.t.Errorf("%d workers are left", n)
	}
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

func is(t testingT, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func equal[T comparable](t testingT, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// noteDeath records which task ran when its worker died.
func (l *lab) noteDeath(f *fake, d pool.Death) {
	if !d.Running {
		return
	}
	sp, at := d.Batch.At(d.Item)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaths[begin{job: sp.Job, index: sp.First + at, attempt: sp.Attempt, worker: f}] = true
}
