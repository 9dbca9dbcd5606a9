package mp

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// The ends of what options may say. What is beyond cannot work, and is an error at once.
const (
	// maxWorkers is far beyond what a machine can run, and what Go can: 10,000 threads.
	maxWorkers = 10_000
	// maxProcs is beyond every machine. The runtime reserves memory for each.
	maxProcs = 4096
	// leastMemory is less than a process of Go has before it does anything.
	leastMemory = 1 << 20
	// leastFiles is what a process needs to talk to its parent.
	leastFiles = 16
	// maxResult is as good as no limit, and far from the end of the numbers.
	maxResult = 1 << 62
	// maxCapture is what is kept of a stream at most, whatever is asked for.
	maxCapture = 64 << 20
	// nice values, as the kernel knows them.
	leastNice, mostNice = -20, 19
)

// option is a field of a configuration and its value.
type option struct {
	name  string
	value int64
}

// notNegative is an error that names the first option that is negative. of is the configuration.
func notNegative(of string, options ...option) error {
	for _, o := range options {
		if o.value < 0 {
			return fmt.Errorf("mp: %s.%s is negative: %d", of, o.name, o.value)
		}
	}
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
		return fmt.Errorf("mp: NewPool: PoolConfig.MaxResult is negative: %d: -1 is no limit", c.MaxResult)
	}
	return nil
}

// checkProcesses checks what only processes have.
func (c *PoolConfig) checkProcesses() error {
	if c.Encode {
		return errors.New("mp: NewPool: PoolConfig.Encode is true, and is for goroutines: what goes to processes is encoded always")
	}
	if err := checkProcs("NewPool: PoolConfig", c.Procs); err != nil {
		return err
	}
	if err := checkMemory("NewPool: PoolConfig.MaxMemory", c.MaxMemory); err != nil {
		return err
	}
	return c.Limits.check("NewPool: PoolConfig")
}

func checkProcs(of string, procs int) error {
	if err := notNegative(of, option{"Procs", int64(procs)}); err != nil {
		return err
	}
	if most := max(maxProcs, runtime.NumCPU()); procs > most {
		return fmt.Errorf("mp: %s.Procs is %d, more than %d", of, procs, most)
	}
	return nil
}

// check says what is wrong with limits of a configuration.
func (l Limits) check(of string) error {
	err := notNegative(of, option{"Limits.CPU", int64(l.CPU)}, option{"Limits.OpenFiles", int64(l.OpenFiles)})
	switch {
	case err != nil:
		return err
	case l.OpenFiles > 0 && l.OpenFiles < leastFiles:
		return fmt.Errorf("mp: %s.Limits.OpenFiles is %d: a process needs %d to talk to its parent", of, l.OpenFiles, leastFiles)
	case l.Nice < leastNice || l.Nice > mostNice:
		return fmt.Errorf("mp: %s.Limits.Nice is %d: nice values are %d to %d", of, l.Nice, leastNice, mostNice)
	}
	return checkMemory(of+".Limits.Memory", l.Memory)
}

// checkMemory says what is wrong with a limit on memory, and why it could not be watched.
func checkMemory(name string, bytes int64) error {
	switch {
	case bytes == 0:
		return nil
	case bytes < 0:
		return fmt.Errorf("mp: %s is negative: %d", name, bytes)
	case bytes < leastMemory:
		return fmt.Errorf("mp: %s is %d: that is less than a process has before it does anything: at least %d", name, bytes, leastMemory)
	case runtime.GOOS != "linux":
		return fmt.Errorf("mp: %s: no limit on memory on %s: %w", name, runtime.GOOS, errors.ErrUnsupported)
	}
	if err := spawn.CheckMemoryWatch(); err != nil {
		return errtext.Errorf("mp: %s is %d, and the memory of processes cannot be watched here, for which /proc must be mounted: %w", name, bytes, err)
	}
	return nil
}

// check says what cannot work in a Backoff.
func (b Backoff) check() error {
	switch {
	case b.Min < 0 || b.Max < 0:
		return fmt.Errorf("mp: Retries: Backoff{Min: %v, Max: %v}: neither may be negative", b.Min, b.Max)
	case b.Max > 0 && b.Min > b.Max:
		return fmt.Errorf("mp: Retries: Backoff{Min: %v, Max: %v}: Min is more than Max", b.Min, b.Max)
	case b.Factor != 0 && !(b.Factor >= 1 && b.Factor <= maxFactor):
		return fmt.Errorf("mp: Retries: Backoff.Factor is %v: 1 to %v, or 0, which is 2", b.Factor, float64(maxFactor))
	case b.Jitter != b.Jitter || b.Jitter > 1:
		return fmt.Errorf("mp: Retries: Backoff.Jitter is %v: at most 1", b.Jitter)
	}
	return nil
}

// maxFactor takes a wait from a nanosecond to a century in two steps.
const maxFactor = float64(100 * 365 * 24 * time.Hour)
