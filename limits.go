package mp

import (
	"cmp"
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

// Limits are what a process may use at most. What is zero is as in this process.
// A limit on memory exists on Linux, where it is watched by way of /proc, without which it is an error;
// on other systems it is one that is errors.ErrUnsupported. So are values that cannot work: less than
// 1 MiB of memory, fewer than 16 open files, a nice value beyond -20 to 19. A limit that the system refuses ends the process before its
// main runs, with a reason.
type Limits struct {
	Memory    int64         // bytes of anonymous memory; passing it kills: ErrMemory
	CPU       time.Duration // of processor time, rounded up to seconds; then it ends with "SIGXCPU: ..."
	OpenFiles int
	Nice      int // the nice value itself
}

func (l Limits) spawn() spawn.Limits {
	return spawn.Limits{CPU: l.CPU, OpenFiles: l.OpenFiles, Nice: l.Nice}
}

// gcTarget is the GOMEMLIMIT that goes with a limit: the collector should work
// harder before the process is killed.
func gcTarget(limit int64) int64 { return limit / 10 * 9 }

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
		return fmt.Errorf("mp: %s.Limits.OpenFiles is %d: a process needs at least %d to talk to its parent", of, l.OpenFiles, leastFiles)
	case l.Nice < leastNice || l.Nice > mostNice:
		return fmt.Errorf("mp: %s.Limits.Nice is %d: it must be %d to %d", of, l.Nice, leastNice, mostNice)
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

// checkGrace says what is wrong with a Grace.
func checkGrace(of string, d time.Duration) error {
	if d < 0 && d != NoGrace {
		return fmt.Errorf("mp: %s.Grace is negative: %v: use NoGrace for no grace", of, d)
	}
	return nil
}

// graceOf is how long the grace is, with its default.
func graceOf(d, otherwise time.Duration) time.Duration { return max(0, cmp.Or(d, otherwise)) }

// exitGraceOf is what Exit and OnExit may take: the Grace that was set, or a second.
func exitGraceOf(grace time.Duration) time.Duration {
	if grace <= 0 {
		return time.Second
	}
	return grace
}

func overMemory(used, limit int64) error {
	return fmt.Errorf("%w: %d bytes held, %d allowed", ErrMemory, used, limit)
}

// memoryEvery is how often a process's memory is looked at.
const memoryEvery = 20 * time.Millisecond

// NoGrace is a Grace of a PoolConfig or ProcessConfig, for tasks that get no time between
// being asked to stop and being killed: at the deadline, when they are cancelled, or when the ctx
// ends. A pool's worker has up to 10 ms to tell the stack of a task whose time is over. A goroutine
// cannot be killed; its task has its outcome at once.
const NoGrace time.Duration = -1
