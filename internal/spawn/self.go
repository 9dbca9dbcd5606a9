package spawn

import (
	"os"
	"slices"
)

// Self is what a child knows about itself.
type Self struct {
	Name, Pool string
	Worker     int
	ParentPID  int
	Depth      int        // 1: a child of the main process, 2: a child of one, ...
	Conn       *os.File   // this end of the control socket; deadlines work
	Files      []*os.File // Spec.Files

	nonce   string
	outputs [2]int // copies of descriptors 1 and 2 as they were at the start: the pipes to the parent
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
	child = adopt()
	mainArgs = slices.Clone(os.Args)
	mainPath, _ = os.Executable()
}
