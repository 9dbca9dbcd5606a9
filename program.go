package mp

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/talk"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// program is what package talk is told of this program.
type program struct{}

func (program) Begin() { working.Store(true) }

func (program) Lookup(name string) (talk.Handler, error) { return funcs.find(name) }

func (program) EncodeError(b *wire.Buffer, err error) (final bool) {
	encodeError(b, err)
	return isFinal(err)
}

func (program) DecodeError(r *wire.Reader) error { return decodeError(r) }

func (program) Panicked(v any, stack string) error {
	return &PanicError{Value: text(v), Stack: stack}
}

func (program) Exited() error {
	return errors.New("mp: the function ended its goroutine by runtime.Goexit")
}

func (program) Final(err error) bool { return isFinal(err) }

func (program) TooLarge(size, limit int64) error {
	return Permanent(fmt.Errorf("mp: an outcome of %d bytes or more is over PoolConfig.MaxResult, which is %d", size, limit))
}

func (program) TimedOut(after time.Duration) error              { return &TimeoutError{After: after} }
func (program) OutputLost(stream int, n int64, why error) error { return outputLost(stream, n, why) }
func (program) OutputLate(waited time.Duration) error           { return outputLate(waited) }

func (program) Died(pid int, e spawn.Exit) error {
	d := &WorkerDiedError{PID: pid, ExitCode: e.Code, Reason: e.Reason, Stderr: e.Stderr}
	if e.Signal != 0 {
		d.Signal = e.Signal
	}
	switch {
	case e.OOMKilled:
		d.Reason = reasonOOM
	case e.Unknown && e.Reason != "":
		d.Reason = e.Reason + " (" + talk.StatusTaken + ")"
	case e.Unknown:
		d.Reason = talk.StatusTaken
	}
	return d
}

// taskKey finds the TaskInfo in a task's ctx.
type taskKey struct{}

func (program) TaskKey() any { return taskKey{} }

func (program) Task(fn string, index, attempt, worker int) any {
	return TaskInfo{Func: fn, Index: index, Attempt: attempt, Worker: worker}
}

// Family, Join and Buried are where processes that share something come to know of each other.
func (program) Family() (*os.File, error) { return shm.Family() }

func (program) Join(family *os.File) {
	if family != nil {
		shm.Join(family, Current().Name)
	}
}

func (program) Buried(int) { shm.Buried() }

// text is a value as fmt prints it, also when its own methods panic.
func text(v any) (s string) {
	returned := false
	defer func() {
		if r := recover(); !returned {
			s = fmt.Sprintf("%T, whose text panics: %v", v, r)
		}
	}()
	switch v := v.(type) {
	case nil:
		s = "nil" // as the runtime calls it
	case error:
		s = v.Error()
	default:
		s = fmt.Sprint(v)
	}
	returned = true
	return s
}
