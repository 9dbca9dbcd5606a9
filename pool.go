package mp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/talk"
)

// PoolConfig says how a pool works. The zero PoolConfig is a pool of as many
// processes as this one has processors.
//
// Exit, for example to flush spans, profiles and logs, is called in each worker that ends as its pool
// wants: after TasksPerWorker, IdleTimeout, Resize, Recycle, at the end of a pool that was closed. Just before, the
// ctx of Init ends, so that what Init has begun can stop and Exit can wait for it. The ctx of Exit ends after Grace,
// or after a second where none was set; if it does not return by then, it is left alone. What it fails with is in the Err of
// the worker's WorkerRecycled and an error of Join and Shutdown. It is not called in a worker that died, that was
// killed (by Terminate, a deadline, a limit), or whose Init has failed.
type PoolConfig struct {
	Name           string                                      // shown by ps and Current; default Pool-N, in a child Pool-N:M
	Workers        int                                         // 0: runtime.GOMAXPROCS(0)
	Init           Binding                                     // run once in each new worker before its first task
	Exit           Binding                                     // run once in each worker at its end: see the text above
	TasksPerWorker int                                         // a worker is replaced after so many tasks; 0: never
	MaxMemory      int64                                       // bytes of anonymous memory per worker; passing it kills the task: ErrMemory
	MaxQueued      int                                         // ApplyAsync and MapAsync wait while so many are queued; 0: they never block
	MaxResult      int64                                       // bytes of one outcome; 0: 1 GiB; -1: no limit
	IdleTimeout    time.Duration                               // a worker idle for so long ends, and comes back on demand; 0: never
	StartTimeout   time.Duration                               // of one worker, Init included; 0: 1 minute
	StartPatience  time.Duration                               // how long starts of workers that fail for a cause that may pass are tried again before the pool is ErrBroken; 0: 1 minute
	Grace          time.Duration                               // between asking a task to stop and killing its worker; 0: 100 ms, of goroutines 10 ms; NoGrace: none
	Procs          int                                         // GOMAXPROCS of each worker; 0: max(2, ceil(GOMAXPROCS/Workers))
	Env            []string                                    // the workers' whole environment; nil: this process's
	Dir            string                                      // the workers' working directory; "": this process's
	Limits         Limits                                      // of each worker
	Encode         bool                                        // of a pool of goroutines: inputs and outputs are copied as processes would; see thread.NewPool
	Stdout, Stderr io.Writer                                   // get what workers print, in whole lines, before the outcome of what printed it; nil: os.Stdout and os.Stderr
	QuietCrash     bool                                        // what the Go runtime prints about a crash is in the error only, not in Stderr as well
	Propagate      func(ctx context.Context) map[string]string // called once by each call with its ctx: what Propagated tells its tasks, 4 KiB at most
	Events         func(PoolEvent)                             // told what happens, in order, one at a time, on one goroutine of the pool; must not wait for a task of it
}

// NoGrace is a Grace of a PoolConfig or ProcessConfig, for tasks that get no time between
// being asked to stop and being killed: at the deadline, when they are cancelled, or when the ctx
// ends. A pool's worker has up to 10 ms to tell the stack of a task whose time is over. A goroutine
// cannot be killed; its task has its outcome at once.
const NoGrace time.Duration = -1

// Pool feeds workers with tasks: processes if NewPool has made it, goroutines if
// thread.NewPool has. Its methods, and the functions that take it, may be called by any number of goroutines. A nil
// Pool answers ErrClosed: the pool that main has made does not exist in a worker.
// One that is dropped without Close ends when it is garbage and all that was submitted is done, and
// a line on os.Stderr says so. What PoolConfig.Events refers to is not garbage.
type Pool struct {
	s         *pool.Scheduler
	name      string
	propagate func(ctx context.Context) map[string]string
	transport transport
	watches   watches         // over the ctxs of what was submitted
	dropped   runtime.Cleanup // ends a pool that nobody can use any more
}

var pools atomic.Int64 // made so far, for names

// NewPool starts the workers and returns when all are ready, some milliseconds
// later, or with the first failure to start or to Init. Workers that are missing later are started at once, unless
// there is an IdleTimeout: then when there is work for them. JoinAll does not wait for a pool: close it. The error is ErrNoMain
// before Main, one that says what is wrong with cfg, errors.ErrUnsupported where there
// are no processes or no limits on memory, Init's own, or the operating system's; then
// nothing is left.
func NewPool(cfg PoolConfig) (*Pool, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	exitGrace := exitGraceOf(cfg.Grace)
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if err := cfg.completeProcesses(); err != nil {
		return nil, err
	}
	start, release, err := cfg.starter(exitGrace)
	if err != nil {
		return nil, err
	}
	return cfg.open(encoded{"processes"}, exitGrace, pool.Config{
		Start: start, MaxMemory: cfg.MaxMemory, OverMemory: overMemory, KilledOutside: shot, Transient: mayPass, Release: release,
	})
}

// open makes a pool of a configuration that is complete. c has what is the transport's.
func (cfg *PoolConfig) open(t transport, exitGrace time.Duration, c pool.Config) (*Pool, error) {
	c.Workers, c.TasksPerWorker, c.MaxQueued = cfg.Workers, cfg.TasksPerWorker, cfg.MaxQueued
	c.IdleTimeout, c.Grace, c.StartPatience = cfg.IdleTimeout, cfg.Grace, cfg.StartPatience
	c.Events, c.ExitGrace, c.Paused = cfg.events(), cfg.Exit.grace(exitGrace), shm.Paused
	c.TimedOut = func(after time.Duration, stack string) error { return &TimeoutError{After: after, Stack: stack} }
	s, err := pool.New(c)
	if err != nil {
		return nil, errtext.Errorf("mp: NewPool: %w", err)
	}
	return watchDropped(&Pool{s: s, name: cfg.Name, propagate: cfg.Propagate, transport: t}), nil
}

// mayPass says whether a worker could not be started for a cause that may pass: Init has failed, or
// the system is short of something.
func mayPass(err error) bool {
	var init *talk.InitError
	if errors.As(err, &init) {
		return true
	}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// shot says whether a worker was killed from outside.
func shot(err error) bool {
	var died *WorkerDiedError
	return errors.As(err, &died) && died.Signal == syscall.SIGKILL && !errors.Is(died, ErrMemory)
}

// graceProcesses is what a task in a process has between being asked to stop and being killed,
// if nothing else was said: enough to notice and to clear up, and hardly seen as a delay.
const graceProcesses = 100 * time.Millisecond

// complete checks the configuration and fills in the defaults.
func (c *PoolConfig) complete() error {
	if err := c.checkNumbers(); err != nil {
		return err
	}
	if err := checkGrace("NewPool: PoolConfig", c.Grace); err != nil {
		return err
	}
	procs := runtime.GOMAXPROCS(0)
	n := pools.Add(1)
	c.Name = cmp.Or(c.Name, "Pool-"+identity(n))
	c.Workers = cmp.Or(c.Workers, procs)
	c.StartTimeout = cmp.Or(c.StartTimeout, time.Minute)
	c.StartPatience = cmp.Or(c.StartPatience, time.Minute)
	c.MaxResult = min(cmp.Or(c.MaxResult, 1<<30), maxResult)
	return nil
}

// checkGrace says what is wrong with a Grace.
func checkGrace(of string, d time.Duration) error {
	if d < 0 && d != NoGrace {
		return fmt.Errorf("mp: %s.Grace is negative: %v; where there is none it is NoGrace", of, d)
	}
	return nil
}

// graceOf is how long the grace is, with its default.
func graceOf(d, otherwise time.Duration) time.Duration { return max(0, cmp.Or(d, otherwise)) }

// completeProcesses is complete for what only processes have.
func (c *PoolConfig) completeProcesses() error {
	if err := c.checkProcesses(); err != nil {
		return err
	}
	procs := runtime.GOMAXPROCS(0)
	if c.Procs == 0 {
		c.Procs = max(2, (procs+c.Workers-1)/c.Workers)
	}
	c.Grace = graceOf(c.Grace, graceProcesses)
	c.Stdout, c.Stderr = orDefault(c.Stdout, os.Stdout), orDefault(c.Stderr, os.Stderr) // now, and not whenever a worker is replaced
	if l := c.Limits.Memory; l > 0 && (c.MaxMemory == 0 || l < c.MaxMemory) {
		c.MaxMemory = l
	}
	return nil
}

// starter returns what starts one worker, and what lets go of what starts need when there are no more.
func (c *PoolConfig) starter(exitGrace time.Duration) (start pool.StartFunc, release func(), err error) {
	ws := talk.Spec{
		Spec: spawn.Spec{
			Pool: c.Name, Env: c.Env, Dir: c.Dir, Stdout: c.Stdout, Stderr: c.Stderr, QuietCrash: c.QuietCrash,
			Procs: c.Procs, Limits: c.Limits.spawn(), MemoryLimit: gcTarget(c.MaxMemory),
			Thread: spawn.CallingThread(), // that of NewPool, whenever a worker is started
		},
		Program: program{}, Max: c.MaxResult, Timeout: c.StartTimeout,
	}
	if ws.Init, err = c.Init.forWorkers("Init"); err != nil {
		return nil, nil, err
	}
	if ws.Exit, err = c.Exit.forWorkers("Exit"); err != nil {
		ws.Release()
		return nil, nil, err
	}
	ws.Grace = exitGrace
	base := filepath.Base(os.Args[0])
	return func(ctx context.Context, n int, sink pool.Sink) (pool.Worker, error) {
		ws := ws
		ws.Spec.Worker = n
		ws.Spec.Identity = nextIdentity()
		ws.Spec.Name = fmt.Sprintf("%s-%d", ws.Spec.Pool, n)
		ws.Spec.Title = fmt.Sprintf("%s: %s %d", base, ws.Spec.Pool, n)
		return talk.Start(ctx, ws, sink)
	}, ws.Release, nil
}

// refusal says why nothing can be submitted, nil when it can.
func (p *Pool) refusal() error {
	if p == nil || p.s == nil {
		return fmt.Errorf("%w: the pool is nil: a pool made in main does not exist in a worker", ErrClosed)
	}
	return nil
}

// Close takes no more tasks, as multiprocessing.Pool.close. It returns at once;
// the workers end when all that was submitted is done. The error is nil, or
// ErrClosed for a nil Pool. Closing again does nothing.
func (p *Pool) Close() error {
	if err := p.refusal(); err != nil {
		return err
	}
	p.dropped.Stop()
	p.s.Close()
	return nil
}

// Join waits, after Close or Terminate, until the workers are reaped and all
// callbacks have returned. The error is ErrOpen before Close, ctx's error, or that of
// callbacks that panicked. A task of a pool of goroutines that calls Join with its ctx gets an error
// at once, since it would wait for itself. So would a callback, an Events function, and the body or iterator of a loop over the
// pool's results; there Join waits until ctx ends.
func (p *Pool) Join(ctx context.Context) error {
	if err := p.refusal(); err != nil {
		return err
	}
	return p.s.Join(ctx)
}

// Shutdown is Close and Join, and Terminate when ctx ends before that is done;
// then the error is ctx's.
func (p *Pool) Shutdown(ctx context.Context) error {
	if err := p.Close(); err != nil {
		return err
	}
	err := p.s.Join(ctx)
	if ctx.Err() != nil {
		p.s.Terminate()
	}
	return err
}

// Terminate kills the workers at once, as multiprocessing.Pool.terminate. What was
// not done fails with ErrTerminated. It returns when no worker is left, without
// waiting for callbacks, for tasks or for an UnmarshalBinary of the program's, and may
// be called from a callback.
func (p *Pool) Terminate() {
	if p.refusal() == nil {
		p.dropped.Stop()
		p.s.Terminate()
	}
}

// Resize changes the number of workers, to at most 10,000. It returns at once: new ones
// are being started (with IdleTimeout when there is work for them), and those too many
// end when they have done what they run. The error is about the number, or ErrClosed,
// ErrTerminated or ErrBroken.
func (p *Pool) Resize(workers int) error {
	if err := p.refusal(); err != nil {
		return err
	}
	if workers > maxWorkers {
		return fmt.Errorf("mp: Resize(%d): a pool has at most %d workers", workers, maxWorkers)
	}
	return p.s.Resize(workers)
}

// Drain takes no more tasks, as Close, and cancels those that wait, as
// concurrent.futures.Executor.shutdown(cancel_futures=True): what runs finishes, and is not tried
// again. It returns at once; Join waits for the end.
//
// What waited fails with ErrCancelled: an Apply, a Result, its places in the *MapError of a Map. A
// loop over Imap, ImapUnordered or Outcomes takes no more inputs, gets what runs, and ends with
// ErrCancelled.
func (p *Pool) Drain() {
	if p.refusal() == nil {
		p.s.Drain()
	}
}

// Recycle has each worker replaced by a new one as soon as it has nothing to do, for example when
// what Init has read has changed. Nothing is interrupted, and no more tasks run meanwhile than the pool has workers.
// It waits until all workers that there were are gone and as many new ones are ready; with
// IdleTimeout new ones come when there is work. PoolConfig.Exit is called in those that go.
//
// The error is ctx's: the workers that are busy are then still replaced when they are free. It is
// ErrClosed, ErrTerminated or ErrBroken when the pool ends before or meanwhile, and one that says
// so in a task of the pool and in Events, which would wait for themselves.
func (p *Pool) Recycle(ctx context.Context) error {
	if err := p.refusal(); err != nil {
		return err
	}
	return p.s.Recycle(ctx)
}
