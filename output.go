package mp

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Prefix returns a writer for the Stdout or Stderr of a PoolConfig or ProcessConfig that puts a label before
// each line. For a pool's worker the label holds the pool, the worker's number and the task that runs or ran
// last, as in
//
//	[Pool-1/2 square#17] a line that the 18th task printed
//
// For a process of Start or Call it is the process's name. A nil w stands for os.Stdout or os.Stderr, as a nil
// Stdout or Stderr does. What the program itself writes to the returned writer goes to w unchanged.
//
// With labels that name tasks, each task costs some microseconds more, since the worker marks in its output
// where the task begins.
func Prefix(w io.Writer) io.Writer {
	if l, ok := w.(spawn.Labelled); ok {
		return l
	}
	return spawn.Labelled{W: w}
}

// orDefault is the writer that a nil one, or the Prefix of one, stands for.
func orDefault(w io.Writer, def *os.File) io.Writer {
	switch l, ok := w.(spawn.Labelled); {
	case w == nil:
		return def
	case ok && l.W == nil:
		return spawn.Labelled{W: def}
	}
	return w
}

// OutputError reports that a part of a process's output is lost, because its Stdout or Stderr did not take it.
// Later output is still written.
type OutputError struct {
	Stream string // "stdout" or "stderr"; where both lead to one place "stdout" stands for both
	Lost   int64  // bytes
	Err    error  // of the last Write that failed
}

// Error implements error.
func (e *OutputError) Error() string {
	return fmt.Sprintf("mp: %d bytes of %s are lost: %v", e.Lost, e.Stream, e.Err)
}

// Unwrap returns Err.
func (e *OutputError) Unwrap() error { return e.Err }

func outputLost(stream int, n int64, why error) *OutputError {
	name := "stdout"
	if stream == 2 {
		name = "stderr"
	}
	return &OutputError{Stream: name, Lost: n, Err: why}
}

func outputLate(waited time.Duration) error {
	return fmt.Errorf("mp: an outcome was delivered before what its task had printed: the writer took more than %v", waited)
}
