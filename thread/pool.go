package thread

import (
	"context"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewPool makes a pool whose workers are goroutines, as multiprocessing.pool.ThreadPool and
// concurrent.futures.ThreadPoolExecutor. Every function that takes an *mp.Pool takes it: mp.Map, mp.ApplyAsync,
// mp.Imap, mp.Outcomes and the rest. NewPool returns when Init has run in all workers. A worker costs some
// microseconds and some kilobytes. A program needs neither mp.Main nor mp.Register for it: see Func.
//
// Nothing is copied: the task gets the caller's input itself and shares what it points to. With
// PoolConfig.Encode inputs and outputs are encoded and decoded. A task then gets a copy, as in another process,
// and a value that could not travel is an error. Use it to test on goroutines what will run on processes.
//
// A task that panics, or ends its goroutine by runtime.Goexit, fails with an error, and its worker goes on. A
// task that ignores its deadline or its cancellation cannot be killed. After PoolConfig.Grace (0: 10 ms) it gets
// its outcome all the same, an *mp.TimeoutError or mp.ErrCancelled, and another goroutine takes the worker's
// place. The old goroutine, with its stack and everything that it holds, stays until the function returns; if it
// computes, it keeps a processor busy. Stats.Stuck counts such tasks; Join and Terminate do not wait for them. A
// pool of processes kills them. Set Grace for tasks that clean up when their ctx ends.
//
// A task may call its own pool. While it waits there, for a Map or a Result for example, the work that it waits
// for runs at once in its place, even if no worker is idle. So nesting cannot deadlock, and no more tasks run
// than there are workers. The one exception is the body of a loop over the pool's own results: beside it one
// more task may run.
//
// The pool knows only by the ctx that a task waits: pass on the task's ctx, or one made from it. Otherwise the
// task keeps its worker while it waits. That is so with another ctx such as context.Background(), for a receive
// from Result.Done, and for a task of another pool that waits for this one in turn. When all workers wait like
// that, the pool stands still until a ctx or a Timeout ends. Go's deadlock detector reports it if nothing else
// runs in the program.
//
// Init runs once for each worker, but in the same process: put what it prepares for its worker into a Local.
//
// The error says what is wrong with cfg, or is Init's. Settings that only a process has are errors: MaxMemory,
// Limits, Procs, Env, Dir, Stdout, Stderr and QuietCrash. MaxResult bounds only what Encode encodes. mp.Imap,
// mp.ImapUnordered and mp.Outcomes refuse the option mp.Capture. Every PID is this process's; the CPU and MaxMemory
// of an mp.Outcome are 0.
func NewPool(cfg mp.PoolConfig) (*mp.Pool, error) {
	p, err := hooks.GoroutinePool(cfg)
	return p.(*mp.Pool), err
}

// Func makes an mp.Func of a function or closure, for pools of goroutines. It need not be registered, and its
// name is the one that a stack trace shows. It costs some hundred nanoseconds, so make it once. A process cannot
// call it: pools of processes, mp.Start and mp.Call return mp.ErrNotRegistered. Func panics if f is nil.
func Func[In, Out any](f func(ctx context.Context, in In) (Out, error)) *mp.Func[In, Out] {
	return mp.CarryFunc(key.Key{}, f)
}
