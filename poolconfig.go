package mp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
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
	TasksPerWorker int                                         // a worker is replaced after this number of tasks; 0: never
	MaxMemory      int64                                       // bytes of anonymous memory per worker; passing it kills the task: ErrMemory
	MaxQueued      int                                         // ApplyAsync and MapAsync wait while this number of tasks is queued; 0: they never block
	MaxResult      int64                                       // bytes of one outcome; 0: 1 GiB; -1: no limit
	IdleTimeout    time.Duration                               // an idle worker ends after this time, and comes back on demand; 0: never
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

// graceProcesses is what a task in a process has between being asked to stop and being killed,
// if nothing else was said: enough to notice and to clear up, and hardly seen as a delay.
const graceProcesses = 100 * time.Millisecond

// graceGoroutines is what a task of a goroutine has between its deadline and its outcome, if
// nothing else was said: no longer than it takes to see that its ctx has ended.
const graceGoroutines = 10 * time.Millisecond

// complete checks the configuration and fills in the defaults.
func (c *PoolConfig) complete() error {
	if err := c.checkNumbers(); err != nil {
		return err
	}
	if err := checkGrace("NewPool: PoolConfig", c.Grace); err != nil {
		return err
	}
	procs := runtime.GOMAXPROCS(0)
	n := poolsMade.Add(1)
	c.Name = cmp.Or(c.Name, "Pool-"+identity(n))
	c.Workers = cmp.Or(c.Workers, procs)
	c.StartTimeout = cmp.Or(c.StartTimeout, time.Minute)
	c.StartPatience = cmp.Or(c.StartPatience, time.Minute)
	c.MaxResult = min(cmp.Or(c.MaxResult, 1<<30), maxResult)
	return nil
}

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

// checkNumbers checks what both kinds of pools have.
func (c *PoolConfig) checkNumbers() error {
	err := notNegative("NewPool: PoolConfig",
		option{"Workers", int64(c.Workers)}, option{"TasksPerWorker", int64(c.TasksPerWorker)}, option{"MaxQueued", int64(c.MaxQueued)},
		option{"IdleTimeout", int64(c.IdleTimeout)}, option{"StartTimeout", int64(c.StartTimeout)},
		option{"StartPatience", int64(c.StartPatience)})
	switch {
	case err != nil:
		return err
	case c.Workers > maxWorkers:
		return fmt.Errorf("mp: NewPool: PoolConfig.Workers is %d, more than %d", c.Workers, maxWorkers)
	case c.MaxResult < -1:
		return fmt.Errorf("mp: NewPool: PoolConfig.MaxResult is negative: %d: use -1 for no limit", c.MaxResult)
	}
	return nil
}

// checkProcesses checks what only processes have.
func (c *PoolConfig) checkProcesses() error {
	if c.Encode {
		return errors.New("mp: NewPool: PoolConfig.Encode is for goroutines: a pool of processes always encodes, so leave it false")
	}
	if err := checkProcs("NewPool: PoolConfig", c.Procs); err != nil {
		return err
	}
	if err := checkMemory("NewPool: PoolConfig.MaxMemory", c.MaxMemory); err != nil {
		return err
	}
	return c.Limits.check("NewPool: PoolConfig")
}
