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
	Depth      int        // 1: a child of the main process, 2: a child of such a child, ...
	Conn       *os.File   // this end of the control socket; supports deadlines
	Files      []*os.File // Spec.Files

	// Crash is where the Go runtime prints a crash a second time. Whatever else ends the process
	// like a crash is printed there, too. It does not block: a write to a full pipe fails.
	Crash *os.File

	nonce       string
	outputs     [2]int // the pipes to the parent, one for each stream
	joined      bool   // descriptor 2 shares the pipe of descriptor 1, except during captures
	stderrSplit stderrSplit
}

var (
	child    *Self
	mainArgs []string // the command line of the main process, which every child gets
	mainPath string   // the executable, in case /proc is not mounted
)

// Child describes this process if it is a child. It returns nil in a main process. It is set
// before the init of any package that imports this one.
func Child() *Self { return child }

func init() {
	if child = adopt(); child == nil {
		reapInherited()
	}
	mainArgs = slices.Clone(os.Args)
	mainPath, _ = os.Executable()
}
