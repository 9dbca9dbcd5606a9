package mp

import (
	"context"
	"fmt"
	"maps"

	"github.com/gomultiprocessing/mp/internal/task"
)

// taskKey finds the TaskInfo in a task's ctx.
type taskKey struct{}

// TaskInfo says which task a ctx belongs to.
type TaskInfo struct {
	Func    string
	Index   int // of the input in its call, from 0
	Attempt int // from 1
	Worker  int // the worker's number, from 1
}

// CurrentTask returns the task that ctx belongs to. ok is false outside of a pool's task.
func CurrentTask(ctx context.Context) (TaskInfo, bool) {
	info, ok := ctx.Value(taskKey{}).(TaskInfo)
	return info, ok
}

// Propagated returns what PoolConfig.Propagate or ProcessConfig.Propagate made from the ctx of the call that ctx
// belongs to. It works in tasks of processes and goroutines, and in the Func of Start and Call. It is for a few
// short strings such as traceparent. The map is a copy, or nil if there is nothing.
//
// If a task makes calls itself, their tasks get what the Propagate of that pool makes from the task's ctx: it
// may pass on what Propagated returns. Tasks on goroutines have the values of the caller's ctx; if their pool
// has no Propagate, Propagated returns what it returns for that ctx.
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
		return nil, fmt.Errorf("mp: %s.Propagate returned %d bytes of keys and values, more than %d: it is for a few short strings: put larger things into the input", what, size, maxPropagated)
	}
	return maps.Clone(m), nil
}

// maxPropagated is how many bytes keys and values may have in all that are propagated to a task.
const maxPropagated = 4 << 10
