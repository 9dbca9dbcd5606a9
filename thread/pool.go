package thread

import (
	"context"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewPool makes a pool whose workers are goroutines, as multiprocessing.pool.ThreadPool and
// concurrent.futures.ThreadPoolExecutor. Everything that takes an *mp.Pool takes it: mp.Map,
// mp.ApplyAsync, mp.Imap, mp.Outcomes and the rest. It returns when Init has run in all
// workers; a worker costs some microseconds and some kilobytes. mp.Main is not needed, and
// neither is mp.Register: see Func.
//
// Nothing is copied: inputs and outputs are the very values, and what they point to is shared with
// the task. With PoolConfig.Encode they are encoded and decoded, by which a task gets a copy as
// in another process, and what could not travel there is an error: to test on goroutines what
// is to run on processes.
//
// A task that panics, or ends its goroutine by runtime.Goexit, fails with an error, and its
// worker goes on. One that does not stop at its deadline, or when it is cancelled, cannot be
// killed. It gets its outcome all the same, after PoolConfig.Grace (0: 10 ms) an
// *mp.TimeoutError or mp.ErrCancelled, and another goroutine takes the worker's place. What that
// costs: the goroutine with its stack, and everything that it holds, stays as long as the
// function does not return, a processor too if it computes. Stats.Stuck counts such tasks;
// Join and Terminate do not wait for them. A pool of processes kills them. Set Grace for tasks
// that tidy up when their ctx ends.
//
// A task may call its own pool: while it waits there, for a Map or a Result for one, what it
// waits for runs at once in its place, even if no worker is idle. So nesting cannot
// deadlock, and no more tasks run than there are workers; only beside the body of a loop over
// its own pool's results there may be one more. Only the ctx tells that a task waits: pass on the
// ctx that the task was given, or one made from it. A task that waits with another one, such as
// context.Background(), that receives from Result.Done by hand, or that belongs to another pool which
// waits for this one in turn, keeps its worker while it waits. When all workers do, the pool stands still until
// a ctx or a Timeout ends, and Go's deadlock detector reports it if nothing else runs in the program.
//
// Init runs once for each worker, but in the same process: what it prepares for its worker alone
// goes into a Local.
//
// The error says what is wrong with cfg, or is Init's. What only a process has is an error
// here: MaxMemory, Limits, Procs, Env, Dir, Stdout, Stderr and QuietCrash. MaxResult bounds what Encode
// encodes, and else nothing. The option mp.Capture is an error of the calls. The PID
// of everything is this process's; the CPU and MaxMemory of an mp.Outcome are 0.
func NewPool(cfg mp.PoolConfig) (*mp.Pool, error) {
	p, err := hooks.GoroutinePool(cfg)
	return p.(*mp.Pool), err
}

// Func makes a function, a closure too, one that pools of goroutines can call. It need not be
// registered, and has the name that a stack trace shows. It costs some hundred
// nanoseconds, so make it once. A process cannot call it: a pool of processes, mp.Start and
// mp.Call answer mp.ErrNotRegistered. It panics if f is nil.
func Func[In, Out any](f func(ctx context.Context, in In) (Out, error)) *mp.Func[In, Out] {
	return mp.CarryFunc(key.Key{}, f)
}
