package mp

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/goroutine"
	"github.com/gomultiprocessing/mp/internal/pool"
)

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

// graceGoroutines is what a task of a goroutine has between its deadline and its outcome, if
// nothing else was said: no longer than it takes to see that its ctx has ended.
const graceGoroutines = 10 * time.Millisecond

// completeGoroutines checks the configuration of a pool of goroutines.
func (c *PoolConfig) completeGoroutines() error {
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
	c.Grace = graceOf(c.Grace, graceGoroutines)
	return nil
}
