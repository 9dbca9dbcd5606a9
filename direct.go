package mp

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/task"
)

// copying has goroutines get copies of inputs and give copies of outputs, as processes do.
type copying struct {
	maxResult int64 // bytes of an encoded output; -1: no limit
}

// directCall is one call, made on a goroutine. Only an outcome reads what it returned.
type directCall[In, Out any] struct {
	f      *Func[In, Out]
	copies *copying // nil: the very values go to the function
	in     In
	out    Out
	input  atomic.Int32 // what becomes of in
}

// What becomes of the input of a directCall: the Result may be kept for long, so it is let go of when the
// call is made, unless it may be asked for again: for another attempt, or because another worker had
// the call before and has not begun it.
const (
	inputTaken = iota + 1 // by the call that is being made
	inputKept
)

// again is the same call for another worker.
func (c *directCall[In, Out]) again() (task.Calls, error) {
	if !c.input.CompareAndSwap(0, inputKept) && c.input.Load() == inputTaken {
		return nil, ErrCancelled // it is begun, so who asks had it taken back
	}
	another := &directCall[In, Out]{f: c.f, copies: c.copies, in: c.in}
	another.input.Store(inputKept)
	return another, nil
}

// Call implements task.Calls.
func (c *directCall[In, Out]) Call(ctx context.Context, _ int) (err error) {
	if c.copies != nil {
		c.out, err = callCopied(ctx, c.copies, c.f, &c.in)
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

// CallAll implements task.Calls.
func (c *directCall[In, Out]) CallAll(turn *task.Turn) error {
	if !turn.Next() {
		return nil
	}
	err := c.Call(turn.Ctx(), 0)
	turn.Next()
	return err
}

// Free implements task.Calls.
func (c *directCall[In, Out]) Free() {}

// directSpan is some calls of one job, made on a goroutine. What they return stays in memory of
// its own until the scheduler has taken it as the outcome: a goroutine that was given up
// may still write there.
type directSpan[In, Out any] struct {
	f      *Func[In, Out]
	copies *copying // nil: the very values go to the function
	first  int
	in     []In
	out    []Out
}

func directCalls[In, Out any](copies *copying, f *Func[In, Out], first int, in []In) task.Calls {
	if len(in) == 1 {
		return &directCall[In, Out]{f: f, copies: copies, in: in[0]}
	}
	c, _ := f.spans.Get().(*directSpan[In, Out])
	if c == nil {
		c = &directSpan[In, Out]{f: f}
	}
	c.copies, c.first = copies, first
	c.in = append(c.in[:0], in...)
	c.out = slices.Grow(c.out[:0], len(in))[:len(in)]
	return c
}

// Free implements task.Calls: the memory of many small calls is used again.
func (c *directSpan[In, Out]) Free() {
	clear(c.in)
	clear(c.out)
	c.f.spans.Put(c)
}

// Call implements task.Calls.
func (c *directSpan[In, Out]) Call(ctx context.Context, i int) (err error) {
	if c.copies != nil {
		c.out[i], err = callCopied(ctx, c.copies, c.f, &c.in[i])
		return err
	}
	c.out[i], err = c.f.fn(ctx, c.in[i])
	return err
}

// CallAll implements task.Calls.
func (c *directSpan[In, Out]) CallAll(turn *task.Turn) error {
	if c.copies != nil {
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
func callCopied[In, Out any](ctx context.Context, copies *copying, f *Func[In, Out], in *In) (to Out, err error) {
	theirs, err := copied(f.in, "in", in, 0)
	if err != nil {
		return to, Permanent(err)
	}
	out, err := f.fn(ctx, theirs)
	if err != nil {
		return to, err
	}
	if to, err = copied(f.out, "out", &out, copies.maxResult); err != nil {
		return to, Permanent(err)
	}
	return to, nil
}

// copied is what another process would get of v; limit, if positive, is how many bytes
// it may be.
func copied[T any](plan *codec.Plan[T], path string, v *T, limit int64) (to T, err error) {
	b := &codec.Buffer{Copy: true}
	arrived := false
	defer func() { b.Settle(arrived) }()
	if err := plan.Encode(b, path, v); err != nil {
		return to, err
	}
	if n := int64(b.Len()); limit > 0 && n > limit {
		return to, program{}.TooLarge(n, limit)
	}
	files, err := b.LocalFiles()
	if err != nil {
		return to, err
	}
	r := codec.NewReader(b.Bytes())
	r.Attached(files)
	defer r.CloseAttached()
	if err := plan.Decode(r, &to); err != nil {
		return to, err
	}
	err = r.Done()
	arrived = err == nil
	return to, err
}
