package mp

import (
	"context"
	"fmt"
	"maps"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

// maxPropagated is how many bytes keys and values may have in all that are propagated to a task.
const maxPropagated = 4 << 10

// Propagated returns what PoolConfig.Propagate, or ProcessConfig.Propagate, has made of the ctx of the
// call that ctx belongs to: in tasks of processes and of goroutines, and in the Func of Start and Call.
// It is made for a few short strings such as traceparent. The map is a copy, and nil where there is nothing.
//
// What a task calls in turn gets what the Propagate of that pool makes of the task's ctx: it may
// hand on what Propagated returns. Tasks on goroutines, whose ctx has the values of the caller's, see
// what the caller's has if their pool has no Propagate.
func Propagated(ctx context.Context) map[string]string {
	m, _ := ctx.Value(task.PropagatedKey{}).(map[string]string)
	return maps.Clone(m)
}

// propagated is what a call propagates to its tasks: a copy, nil when it is nothing.
func propagated(ctx context.Context, what string, propagate func(context.Context) map[string]string) (map[string]string, error) {
	if propagate == nil {
		return nil, nil
	}
	m := propagate(ctx)
	if len(m) == 0 {
		return nil, nil
	}
	size := 0
	for k, v := range m {
		size += len(k) + len(v)
	}
	if size > maxPropagated {
		return nil, fmt.Errorf("mp: %s.Propagate returned %d bytes of keys and values, more than %d: it is for a few short strings, larger things belong into the input", what, size, maxPropagated)
	}
	return maps.Clone(m), nil
}

// options are what the scheduler has to know of a call; nil: nothing.
func (p *Pool) options(ctx context.Context, o *taskOptions) (*pool.Options, error) {
	to := o.pool(ctx)
	if p.propagate == nil {
		return to, nil
	}
	m, err := propagated(ctx, "PoolConfig", p.propagate)
	if m != nil {
		if to == nil {
			to = new(pool.Options)
		}
		to.Propagated = m
	}
	return to, err
}
