package thread

import "context"

// threadKey finds a Thread in the ctx of its function.
type threadKey struct{}

// OwnOfCtx implements task.Own: a task is no thread of its caller's.
func (threadKey) OwnOfCtx() {}

// Current returns the thread whose function got ctx, or a ctx that ctx was made of, as
// threading.current_thread. Outside any thread it is MainThread, also in the tasks of a pool,
// whose ctx has no values: mp.CurrentTask says which of its workers that is, and a Local has a value
// for each. It does not block; it
// costs what ctx.Value does.
func Current(ctx context.Context) *Thread {
	if t, ok := ctx.Value(threadKey{}).(*Thread); ok {
		return t
	}
	return mainThread
}
