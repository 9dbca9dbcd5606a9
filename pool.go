package mp

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sync/atomic"
	"weak"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
)

// Pool gives tasks to workers: processes if NewPool made it, goroutines if thread.NewPool did. Its methods, and
// the functions that take it, are safe for concurrent use. A nil Pool is ErrClosed: a pool that main made does
// not exist in a worker.
//
// A pool that is dropped without Close ends when it is garbage and all that was submitted is done, and a
// line on os.Stderr reports it. A pool that its own PoolConfig.Events refers to does not become garbage.
type Pool struct {
	s         *pool.Scheduler
	name      string
	propagate func(ctx context.Context) map[string]string
	transport transport
	watches   watches         // over the ctxs of what was submitted
	dropped   runtime.Cleanup // ends a pool that is garbage
}

// pools are those of this process.
var pools = weakList[*Pool]{over: func(p *Pool) bool { return p.s.Over() }}

// Pools returns the pools of this process that have not ended, on processes, goroutines and all other
// transports, in the order in which they were made: for a program that shows its own state. A pool ends when
// it was closed or terminated, all that was submitted is done, and its workers are gone.
//
// The list keeps no pool alive: one that the program has dropped is garbage all the same. Only the returned
// slice does, as long as it is referred to. Pools does not block, costs some nanoseconds a pool, and is safe for
// concurrent use.
func Pools() []*Pool { return pools.all() }

var poolsMade atomic.Int64 // for names

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

// Join waits, after Close or Terminate, until all workers have ended and all callbacks have returned. The error
// is ErrOpen before Close, ctx's error, or that of callbacks that panicked. A task of a pool of goroutines that
// calls Join with its ctx gets an error at once, since it would wait for itself. A callback, an Events function,
// and the body or iterator of a loop over the pool's results would wait for themselves too; there Join waits
// until ctx ends.
func (p *Pool) Join(ctx context.Context) error {
	if err := p.refusal(); err != nil {
		return err
	}
	return p.s.Join(ctx)
}

// Shutdown is Close and Join. If ctx ends before all work is done, it terminates the pool and returns ctx's
// error.
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

// Terminate kills the workers at once, as multiprocessing.Pool.terminate. Tasks without an outcome fail with
// ErrTerminated. It returns when no worker is left. It does not wait for callbacks, tasks or an UnmarshalBinary
// of the program, and may be called from a callback.
func (p *Pool) Terminate() {
	if p.refusal() == nil {
		p.dropped.Stop()
		p.s.Terminate()
	}
}

// Resize changes the number of workers, to at most 10,000. It returns at once. New workers start now, or with
// IdleTimeout when there is work for them; surplus workers end when they have done what they run. The error
// names an invalid number, or is ErrClosed, ErrTerminated or ErrBroken.
func (p *Pool) Resize(workers int) error {
	if err := p.refusal(); err != nil {
		return err
	}
	if workers > maxWorkers {
		return fmt.Errorf("mp: Resize(%d): a pool has at most %d workers", workers, maxWorkers)
	}
	return p.s.Resize(workers)
}

// Drain stops the pool from taking tasks, as Close does, and cancels those that wait, as
// concurrent.futures.Executor.shutdown(cancel_futures=True). Running tasks finish and are not retried. Drain
// returns at once; Join waits for the end.
//
// Tasks that waited fail with ErrCancelled: an Apply, a Result, and the entries of a Map's *MapError. A loop
// over Imap, ImapUnordered or Outcomes takes no more inputs, yields what is running, and ends with ErrCancelled.
func (p *Pool) Drain() {
	if p.refusal() == nil {
		p.s.Drain()
	}
}

// Recycle replaces each worker by a new one as soon as it is idle, for example when what Init has read has
// changed. It interrupts no task and never runs more tasks than the pool has workers. It waits until all old
// workers have ended and as many new ones are ready; with IdleTimeout the new ones start when there is work.
// PoolConfig.Exit runs in the old workers.
//
// The error is ctx's; busy workers are still replaced then, once they are idle. It is ErrClosed, ErrTerminated
// or ErrBroken if the pool has ended or ends meanwhile. A task of the pool, or its Events function, would wait
// for itself: there Recycle returns an error that says so.
func (p *Pool) Recycle(ctx context.Context) error {
	if err := p.refusal(); err != nil {
		return err
	}
	return p.s.Recycle(ctx)
}

func init() {
	codec.Refuse(reflect.TypeFor[Pool](), "a Pool belongs to the process that made it: make one in the other process, or send the results back")
}

// A Pool that is dropped without Close is garbage some time later, while its workers live: nothing
// below refers to the Pool itself. As long as a call is under way it is referred to, by its
// caller or by what was submitted.

// watchDropped has a pool ended that becomes garbage before it was closed.
func watchDropped(p *Pool) *Pool {
	pools.add(weak.Make(p))
	p.dropped = runtime.AddCleanup(p, endDropped, dropped{p.s, p.name})
	return p
}

// dropped is what is left of such a pool.
type dropped struct {
	s    *pool.Scheduler
	name string
}

func endDropped(d dropped) {
	fmt.Fprintf(os.Stderr, "mp: the pool %s was dropped without Close and is ended: call Close, Shutdown or Terminate\n", d.name)
	d.s.Close()
}

// Name is the pool's name: PoolConfig.Name, or Pool-N. That of a nil Pool is empty.
func (p *Pool) Name() string {
	if p == nil {
		return ""
	}
	return p.name
}

// String is for logs: the pool's name, how many workers it should have, and whether it takes tasks.
func (p *Pool) String() string {
	if p.refusal() != nil {
		return "Pool(nil)"
	}
	return fmt.Sprintf("Pool(%s, %d %s, %s)", p.name, p.s.Workers(), p.transport.workers(), p.s.State())
}
