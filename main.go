package mp

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/talk"
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

// Main is the first thing in main, and in TestMain of a test that starts
// processes. In a process that was started by this package it serves and never
// returns; in the main process it returns at once. Until it was entered, nothing
// of this package can be started: see ErrNoMain. It is Python's
// if __name__ == '__main__' and freeze_support in one.
func Main() {
	entered.Store(true)
	if self := spawn.Child(); self != nil {
		talk.Serve(self, program{})
	}
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
