package mp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/goroutine"
	"github.com/gomultiprocessing/mp/internal/hook"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/host"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// NewPool starts the workers and returns when all are ready, some milliseconds later, or with the first failure
// of a start or of Init. The pool replaces a worker that has ended at once, or with IdleTimeout when there is
// work for it. JoinAll does not wait for a pool: close it.
//
// The error is ErrNoMain before Main, one that says what is wrong with cfg, errors.ErrUnsupported where there
// are no processes or no limits on memory, Init's own, or the operating system's. NewPool then leaves nothing
// behind.
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

// events is cfg.Events as the scheduler calls it.
func (c *PoolConfig) events() func(pool.Event) {
	if c.Events == nil {
		return nil
	}
	tell, name := c.Events, c.Name
	return func(e pool.Event) { tell(eventOf(name, &e)) }
}

// starter returns what starts one worker, and what lets go of what starts need when there are no more.
func (c *PoolConfig) starter(exitGrace time.Duration) (start pool.StartFunc, release func(), err error) {
	ws := host.Spec{
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
		return host.Start(ctx, ws, sink)
	}, ws.Release, nil
}

// mayPass says whether a worker could not be started for a cause that may pass: Init has failed, or
// the system is short of something.
func mayPass(err error) bool {
	var init *host.InitError
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

// carryPool makes a pool of goroutines.
func carryPool(cfg PoolConfig) (*Pool, error) {
	exitGrace := exitGraceOf(cfg.Grace)
	if err := cfg.completeGoroutines(); err != nil {
		return nil, err
	}
	crew := goroutine.NewCrew(program{}, cfg.Init.call, cfg.StartTimeout, os.Getpid())
	crew.Exit, crew.ExitGrace = cfg.Exit.call, exitGrace
	return cfg.open(goroutinesOf(&cfg), exitGrace, pool.Config{
		Start: cfg.startGoroutines(crew), Compensate: crew.Compensate, Stuck: crew.Stuck,
		Transient: func(error) bool { return true }, // what can fail on a goroutine is Init
	})
}

// startGoroutines returns what starts one worker. Only Init can fail.
func (c *PoolConfig) startGoroutines(crew *goroutine.Crew) pool.StartFunc {
	name := c.Init.name
	return func(ctx context.Context, n int, sink pool.Sink) (pool.Worker, error) {
		w, err := crew.Start(ctx, n, sink)
		if err != nil && ctx.Err() == nil {
			err = errtext.Errorf("mp: Init, which is %s: %w", name, err)
		}
		return w, err
	}
}

// goroutinesOf is the transport of a pool of goroutines.
func goroutinesOf(cfg *PoolConfig) goroutines {
	if !cfg.Encode {
		return goroutines{}
	}
	return goroutines{copies: &copying{maxResult: cfg.MaxResult}}
}

func init() {
	hook.Provide(func(cfg any, t hook.Transport) (any, error) { return transportPool(cfg.(PoolConfig), t) }, program{})
}

// transportPool makes a pool on a transport of another package of this module.
func transportPool(cfg PoolConfig, t hook.Transport) (*Pool, error) {
	exitGrace := exitGraceOf(cfg.Grace)
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	cfg.Grace = graceOf(cfg.Grace, cmp.Or(t.Grace, graceProcesses))
	return cfg.open(encoded{t.Workers}, exitGrace, pool.Config{
		Start: t.Start, MaxMemory: cfg.MaxMemory, OverMemory: overMemory, KilledOutside: shot,
		Transient: t.Transient, Release: t.Release, Stuck: t.Stuck,
	})
}
