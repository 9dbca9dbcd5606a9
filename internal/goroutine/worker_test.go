package goroutine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gomultiprocessing/mp/internal/goroutine"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program is what is known of a program here: errors with names.
type program struct{}

var (
	errPanicked = errors.New("panicked")
	errExited   = errors.New("exited")
	errTimedOut = errors.New("timed out")
	errFinal    = errors.New("final")
	errTask     = errors.New("task")
)

func (program) TaskKey() any { return program{} }
func (program) Task(_ string, index, attempt, worker int) any {
	return [3]int{index, attempt, worker}
}
func (program) Panicked(v any, _ string) error { return fmt.Errorf("%w: %v", errPanicked, v) }
func (program) Exited() error                  { return errExited }
func (program) TimedOut(time.Duration) error   { return errTimedOut }
func (program) Final(err error) bool           { return errors.Is(err, errFinal) }

// calls is a job's client: how its calls are made, and what became of them.
type calls struct {
	pool.Tasks // nil: for the methods that are not called
	job        pool.Job
	call       func(ctx context.Context, index, attempt int) error

	depth int // of the calls in calls

	mu       sync.Mutex
	outcomes map[int]outcome
	twice    int // outcomes of tasks that had one
	cause    error
	finished int
	done     chan struct{}
}

type outcome struct {
	err      error
	attempts int
	value    int
}

func newCalls(n int, call func(ctx context.Context, index, attempt int) error) *calls {
	c := &calls{call: call, outcomes: make(map[int]outcome), done: make(chan struct{})}
	c.job.Func, c.job.Client, c.job.Items = "f", c, n
	return c
}

func (c *calls) Deliver(o *pool.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range o.Count {
		out := outcome{err: o.Err, attempts: o.Attempts}
		if o.Err == nil {
			sp := o.Value.(*span)
			out.value = sp.out[o.First+i-sp.first]
		}
		if _, has := c.outcomes[o.First+i]; has {
			c.twice++
		}
		c.outcomes[o.First+i] = out
	}
}

func (c *calls) Finished(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cause = cause
	if c.finished++; c.finished == 1 {
		close(c.done)
	}
}

// span is some of the calls. A value is the index and 1.
type span struct {
	c     *calls
	first int
	out   []int
}

func (c *calls) Values() context.Context { return nil }

func (c *calls) Calls(first, n int) (task.Calls, error) {
	return &span{c, first, make([]int, n)}, nil
}

func (s *span) Call(ctx context.Context, i int) error {
	info := ctx.Value(program{}).([3]int)
	if info[0] != s.first+i {
		return fmt.Errorf("task %d was told that it is %d", s.first+i, info[0])
	}
	err := s.c.call(ctx, info[0], info[1])
	if s.out[i]++; err == nil {
		s.out[i] = s.first + i + 1
	}
	return err
}

func (s *span) CallAll(turn *task.Turn) error {
	for turn.Next() {
		if err := s.Call(turn.Ctx(), turn.At); err != nil {
			return err
		}
	}
	return nil
}

func (s *span) Free() {}

// sink is told by a worker.
type sink struct {
	mu      sync.Mutex
	results []pool.Result
	ended   int
	died    chan pool.Death
}

func (s *sink) Started(*pool.Batch, int)      {}
func (s *sink) Unsent(*pool.Batch, int, bool) {}
func (s *sink) Output(pool.EventKind, error)  {}
func (s *sink) Dead()                         {}
func (s *sink) Died(d pool.Death)             { s.died <- d }
func (s *sink) Ended(*pool.Batch, time.Duration, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
}
func (s *sink) Results(rs []pool.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, rs...)
}

func startWorker(t *testing.T) (*goroutine.Crew, pool.Inline, *sink) {
	t.Helper()
	s := &sink{died: make(chan pool.Death, 1)}
	crew := goroutine.NewCrew(program{}, nil, time.Minute, 1)
	w, err := crew.Start(t.Context(), 1, s)
	if err != nil {
		t.Fatal(err)
	}
	return crew, w.(pool.Inline), s
}

// A worker that is killed between being given a batch and beginning it begins nothing: the
// scheduler gives the tasks to another one.
func TestKilledWorkerBeginsNothing(t *testing.T) {
	t.Parallel()
	crew, w, s := startWorker(t)
	begun := 0
	c := newCalls(3, func(context.Context, int, int) error { begun++; return nil })
	c.job.Options = pool.NoOptions()
	b := pool.NewBatch(pool.Span{Job: &c.job, N: 3, Attempt: 1})
	w.Open(b)
	w.Send(b, func() {})
	w.Kill()
	if d := <-s.died; d.Running {
		t.Errorf("%+v", d)
	}
	w.Run(b, func() { t.Error("again") })
	if begun != 0 || len(s.results) != 0 || s.ended != 0 || crew.Stuck() != 0 {
		t.Errorf("%d begun, %d results, %d ended, %d stuck", begun, len(s.results), s.ended, crew.Stuck())
	}
}

// What a worker that is killed runs is alone: it is counted until it returns.
func TestKilledWorkerIsStuckAsLongAsItsTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		crew, w, s := startWorker(t)
		c := newCalls(5, func(_ context.Context, i, _ int) error {
			if i == 2 {
				time.Sleep(time.Hour)
			}
			return nil
		})
		c.job.Options = pool.NoOptions()
		b := pool.NewBatch(pool.Span{Job: &c.job, N: 5, Attempt: 1})
		w.Open(b)
		w.Send(b, func() {})
		go w.Run(b, func() {})
		synctest.Wait()
		if of, item, _, ok := w.Running(); !ok || of != b || item != 2 {
			t.Errorf("item %d of %p runs: %v", item, of, ok)
		}
		w.Kill()
		w.Kill()
		if d := <-s.died; !d.Running || d.Batch != b || d.Item != 2 || d.Err == nil {
			t.Errorf("%+v", d)
		}
		w.Close()
		told := 0
		for _, r := range s.results {
			told += r.Count
		}
		if told != 2 || crew.Stuck() != 1 {
			t.Errorf("%d told, %d stuck", told, crew.Stuck())
		}
		time.Sleep(2 * time.Hour)
		if crew.Stuck() != 0 || s.ended != 0 || w.Limit(b, 0) != 3 {
			t.Errorf("%d stuck, %d ended, %d begun", crew.Stuck(), s.ended, w.Limit(b, 0))
		}
	})
}
