package mp

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// entered says that this process has come to Main: nothing can be registered any more.
var entered atomic.Bool

// working says that a child runs Funcs. Before that only what is no Func's can want
// to start something, a goroutine of some init: it would do so in every child anew.
var working atomic.Bool

// mayStart says why nothing can be started in this process, or by this goroutine.
func mayStart() error {
	if !entered.Load() || spawn.Child() != nil && !working.Load() {
		return ErrNoMain
	}
	if err := spawn.CheckStartable(); err != nil {
		return fmt.Errorf("mp: %w", err)
	}
	return nil
}

// Info says which process this is.
type Info struct {
	Name      string // MainProcess, or as it was named by its parent
	PID       int
	ParentPID int
	Main      bool   // it was not started by this package
	Pool      string // the name of the pool that it works for
	Worker    int    // and its number there, from 1
}

// Current says which process this is, as multiprocessing.current_process.
func Current() Info {
	self := spawn.Child()
	if self == nil {
		return Info{Name: "MainProcess", PID: os.Getpid(), ParentPID: os.Getppid(), Main: true}
	}
	return Info{Name: self.Name, PID: os.Getpid(), ParentPID: self.ParentPID, Pool: self.Pool, Worker: self.Worker}
}

// processes counts the processes that this one has started, workers of pools among them.
var processes atomic.Int64

// nextIdentity is the identity of the next process that is started here.
func nextIdentity() string { return identity(processes.Add(1)) }

// identity tells the n-th process, or pool, of this process from those of all others of the program: the
// third that the main process makes is 3, and the first that this one makes is 3:1, as in Python's default
// names of processes.
func identity(n int64) string {
	own := strconv.FormatInt(n, 10)
	if self := spawn.Child(); self != nil && self.Identity != "" {
		return self.Identity + ":" + own
	}
	return own
}
