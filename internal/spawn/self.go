package spawn

import (
	"os"
	"slices"
)

// Self is what a child knows about itself.
type Self struct {
	Name, Pool string
	Worker     int
	Identity   string // Spec.Identity
	ParentPID  int
	Depth      int        // 1: a child of the main process, 2: a child of one, ...
	Conn       *os.File   // this end of the control socket; deadlines work
	Files      []*os.File // Spec.Files

	// Crash is where the Go runtime prints a crash once more: what ends the process as one
	// belongs there, too. A write that finds no room there fails.
	Crash *os.File

	nonce       string
	outputs     [2]int // the pipes to the parent, one for each stream
	joined      bool   // descriptor 2 is the pipe of descriptor 1, but for captures
	stderrSplit stderrSplit
}

var (
	child    *Self
	mainArgs []string // the command line of the main process, as every child gets it
	mainPath string   // the executable, for when /proc is not there
)

// Child is this process as a child, or nil in a main process. It is set before any
// main or init that imports this package runs.
func Child() *Self { return child }

func init() {
	if child = adopt(); child == nil {
		reapInherited()
	}
	mainArgs = slices.Clone(os.Args)
	mainPath, _ = os.Executable()
}
