package host

import (
	"fmt"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// What a task has printed is handed on before its outcome is. Delivery waits for the writers
// no longer than that: a writer may wait for the very goroutine that waits here, and a task that
// was killed at its deadline must be heard.
const (
	outputPatience = time.Second
	killedPatience = 10 * time.Millisecond
)

// output is what a worker prints.
type output interface {
	FlushOutput(wait time.Duration) (late bool)
}

// handOn waits until what the worker has printed so far is where it belongs. When it cannot
// wait any longer, an event says so.
func (w *Worker) handOn(patience time.Duration) {
	if w.output.FlushOutput(patience) {
		w.sink.Output(pool.OutputLate, w.program.OutputLate(patience))
	}
}

// patience is how long the results that are due wait for the worker's output.
func (r *reader) patience() time.Duration {
	if r.w.killed.Load() || r.timedOut {
		return killedPatience
	}
	return outputPatience
}

// lost tells what a writer did not take of the worker's output.
func (w *Worker) lost(stream int, n int64, why error) {
	w.sink.Output(pool.OutputLost, w.program.OutputLost(stream, n, why))
}

// taskLabel is what the labels of a worker's lines say of a task.
func (w *Worker) taskLabel(batch uint64, item int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.inFlight {
		if f.id != batch {
			continue
		}
		if sp, at := f.batch.At(item); sp != nil {
			return fmt.Sprintf("%s#%d", sp.Job.Func, sp.First+at)
		}
	}
	return ""
}

// losses adds up what writers did not take of the output of a child that has no events.
type losses struct {
	mu     sync.Mutex
	stream int // the last that lost something; 0: none has
	bytes  int64
	why    error
}

func (l *losses) add(stream int, n int64, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream, l.bytes, l.why = stream, l.bytes+n, why
}

// Lost is the error that says what was lost of the child's output so far; nil: nothing.
func (c *Caller) Lost() error {
	l := &c.losses
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream == 0 {
		return nil
	}
	return c.program.OutputLost(l.stream, l.bytes, l.why)
}
