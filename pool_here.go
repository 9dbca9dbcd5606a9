package mp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/local"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// herePool is what a pool of goroutines has that one of processes has not.
type herePool struct {
	encode    bool  // inputs and outputs are copied as processes would
	maxResult int64 // bytes of an encoded output; -1: no limit
}

// carryPool makes a pool of goroutines.
func carryPool(cfg PoolConfig) (*Pool, error) {
	exitGrace := exitGraceOf(cfg.Grace)
	if err := cfg.completeHere(); err != nil {
		return nil, err
	}
	crew := local.NewCrew(program{}, cfg.Init.call, cfg.StartTimeout, os.Getpid())
	crew.Exit, crew.ExitGrace = cfg.Exit.call, exitGrace
	s, err := pool.New(pool.Config{
		Workers: cfg.Workers, Start: cfg.startHere(crew), TasksPerWorker: cfg.TasksPerWorker,
		MaxQueued: cfg.MaxQueued, IdleTimeout: cfg.IdleTimeout, Grace: cfg.Grace,
		Events: cfg.events(), ExitGrace: cfg.Exit.grace(exitGrace),
		TimedOut: func(after time.Duration, stack string) error { return &TimeoutError{After: after, Stack: stack} },
		Paused:   shm.Paused,
		Guest:    crew.Guest,
		// What can fail on a goroutine is Init.
		Transient: func(error) bool { return true }, StartPatience: cfg.StartPatience,
		Stuck: crew.Stuck,
	})
	if err != nil {
		return nil, errtext.Errorf("mp: NewPool: %w", err)
	}
	return watchDropped(&Pool{s: s, name: cfg.Name, propagate: cfg.Propagate, here: &herePool{encode: cfg.Encode, maxResult: cfg.MaxResult}}), nil
}

// startHere returns what starts one worker. Only Init can fail.
func (c *PoolConfig) startHere(crew *local.Crew) pool.StartFunc {
	name := c.Init.name
	return func(ctx context.Context, n int, sink pool.Sink) (pool.Worker, error) {
		w, err := crew.Start(ctx, n, sink)
		if err != nil && ctx.Err() == nil {
			err = errtext.Errorf("mp: Init, which is %s: %w", name, err)
		}
		return w, err
	}
}

// graceHere is what a task of a goroutine has between its deadline and its outcome, if
// nothing else was said: no longer than it takes to see that its ctx has ended.
const graceHere = 10 * time.Millisecond

// completeHere checks the configuration of a pool of goroutines.
func (c *PoolConfig) completeHere() error {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"MaxMemory", c.MaxMemory != 0}, {"Procs", c.Procs != 0}, {"Env", c.Env != nil}, {"Dir", c.Dir != ""},
		{"Limits", c.Limits != Limits{}}, {"Stdout", c.Stdout != nil}, {"Stderr", c.Stderr != nil}, {"QuietCrash", c.QuietCrash},
	} {
		if f.set {
			return fmt.Errorf("mp: NewPool: PoolConfig.%s is for processes: goroutines share that of their process", f.name)
		}
	}
	if c.Init.call == nil && c.Init.encode != nil {
		return errtext.Errorf("mp: NewPool: Init: %w", errNilFunc)
	}
	if c.Exit.call == nil && c.Exit.encode != nil {
		return errtext.Errorf("mp: NewPool: Exit: %w", errNilFunc)
	}
	if err := c.complete(); err != nil {
		return err
	}
	c.Grace = graceOf(c.Grace, graceHere)
	return nil
}

// check says why a function cannot be called by the pool at all.
func (h *herePool) check(hopeless func() error) error {
	if h.encode {
		return hopeless()
	}
	return nil
}

var errCapture = errors.New("mp: Capture: goroutines write to the output of their process, which cannot be told apart: use a pool of processes")

// closure makes a Func that only this process knows.
func closure[In, Out any](fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	if fn == nil {
		panic("mp: thread.Func: the function is nil")
	}
	name := "func"
	if f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()); f != nil {
		name = f.Name()
	}
	f := newFunc(name, fn)
	f.only = true
	return f
}

// hereOne is one call, made on a goroutine. Only an outcome reads what it returned.
type hereOne[In, Out any] struct {
	f     *Func[In, Out]
	pool  *herePool
	in    In
	out   Out
	input atomic.Int32 // what becomes of in
}

// What becomes of the input of a hereOne: the Result may be kept for long, so it is let go of when the
// call is made, unless it may be asked for again: for another attempt, or because another worker had
// the call before and has not begun it.
const (
	inputTaken = iota + 1 // by the call that is made: there is none any more
	inputKept
)

// again is the same call for another worker.
func (c *hereOne[In, Out]) again() (local.Span, error) {
	if !c.input.CompareAndSwap(0, inputKept) && c.input.Load() == inputTaken {
		return nil, ErrCancelled // it is begun, so who asks had it taken back
	}
	another := &hereOne[In, Out]{f: c.f, pool: c.pool, in: c.in}
	another.input.Store(inputKept)
	return another, nil
}

// Call implements local.Span.
func (c *hereOne[In, Out]) Call(ctx context.Context, _ int) (err error) {
	if c.pool.encode {
		c.out, err = callCopied(ctx, c.pool, c.f, &c.in)
		return err
	}
	in := c.in
	if c.input.CompareAndSwap(0, inputTaken) {
		var none In
		c.in = none
	}
	c.out, err = c.f.fn(ctx, in)
	return err
}

// CallAll implements local.Span.
func (c *hereOne[In, Out]) CallAll(turn *local.Turn) error {
	if !turn.Next() {
		return nil
	}
	err := c.Call(turn.Ctx(), 0)
	turn.Next()
	return err
}

// Free implements local.Span.
func (c *hereOne[In, Out]) Free() {}

// hereSpan is some calls of one job, made on a goroutine. What they return stays in memory of
// its own until the scheduler has taken it as the outcome: a goroutine that was given up
// may still write there.
type hereSpan[In, Out any] struct {
	f     *Func[In, Out]
	pool  *herePool
	first int
	in    []In
	out   []Out
}

func spanHere[In, Out any](h *herePool, f *Func[In, Out], first int, in []In) local.Span {
	if len(in) == 1 {
		return &hereOne[In, Out]{f: f, pool: h, in: in[0]}
	}
	c, _ := f.spans.Get().(*hereSpan[In, Out])
	if c == nil {
		c = &hereSpan[In, Out]{f: f}
	}
	c.pool, c.first = h, first
	c.in = append(c.in[:0], in...)
	c.out = slices.Grow(c.out[:0], len(in))[:len(in)]
	return c
}

// Free implements local.Span: the memory of many small calls is used again.
func (c *hereSpan[In, Out]) Free() {
	clear(c.in)
	clear(c.out)
	c.f.spans.Put(c)
}

// Call implements local.Span.
func (c *hereSpan[In, Out]) Call(ctx context.Context, i int) (err error) {
	if c.pool.encode {
		c.out[i], err = callCopied(ctx, c.pool, c.f, &c.in[i])
		return err
	}
	c.out[i], err = c.f.fn(ctx, c.in[i])
	return err
}

// CallAll implements local.Span.
func (c *hereSpan[In, Out]) CallAll(turn *local.Turn) error {
	if c.pool.encode {
		for turn.Next() {
			if err := c.Call(turn.Ctx(), turn.At); err != nil {
				return err
			}
		}
		return nil
	}
	fn, in, out := c.f.fn, c.in, c.out
	for turn.Next() {
		v, err := fn(turn.Ctx(), in[turn.At])
		if err != nil {
			return err
		}
		out[turn.At] = v
	}
	return nil
}

// callCopied does to the input and the output what a process would do.
func callCopied[In, Out any](ctx context.Context, h *herePool, f *Func[In, Out], in *In) (to Out, err error) {
	theirs, err := copied(f.in, "in", in, 0)
	if err != nil {
		return to, Permanent(err)
	}
	out, err := f.fn(ctx, theirs)
	if err != nil {
		return to, err
	}
	if to, err = copied(f.out, "out", &out, h.maxResult); err != nil {
		return to, Permanent(err)
	}
	return to, nil
}

// copied is what another process would get of v; limit, if positive, is how many bytes
// it may be.
func copied[T any](codec *wire.Codec[T], path string, v *T, limit int64) (to T, err error) {
	b := &wire.Buffer{Copy: true}
	arrived := false
	defer func() { b.Settle(arrived) }()
	if err := codec.Encode(b, path, v); err != nil {
		return to, err
	}
	if n := int64(b.Len()); limit > 0 && n > limit {
		return to, program{}.TooLarge(n, limit)
	}
	files, err := b.Here()
	if err != nil {
		return to, err
	}
	r := wire.NewReader(b.Bytes())
	r.Attached(files)
	defer r.CloseAttached()
	if err := codec.Decode(r, &to); err != nil {
		return to, err
	}
	err = r.Done()
	arrived = err == nil
	return to, err
}
