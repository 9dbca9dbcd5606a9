package mp

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proc/child"
	"github.com/gomultiprocessing/mp/internal/proc/host"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/task"
)

// Main is the first thing in main, and in TestMain of a test that starts
// processes. In a process that was started by this package it serves and never
// returns; in the main process it returns at once. Until it was entered, nothing
// of this package can be started: see ErrNoMain. It is Python's
// if __name__ == '__main__' and freeze_support in one.
func Main() {
	entered.Store(true)
	if self := spawn.Child(); self != nil {
		child.Serve(self, program{})
	}
}

// program is what packages host and child are told of this program.
type program struct{}

// While a shell has stopped the program its deadlines stand still.
func init() { spawn.OnStop(shm.Pause, shm.Resume) }

func (program) Begin() { working.Store(true) }

func (program) Lookup(name string) (child.Handler, error) { return funcs.find(name) }

// EncodeError calls methods of err, which are the program's: see task.Guard.
func (program) EncodeError(b *codec.Buffer, err error) (final bool) {
	if task.IsPlain(err) {
		encodeError(b, err)
		return isFinal(err)
	}
	type encoded struct {
		b     *codec.Buffer
		final bool
	}
	e, bad := task.Guard(func() encoded {
		own := new(codec.Buffer)
		encodeError(own, err)
		return encoded{own, isFinal(err)}
	})
	if bad != nil {
		text := fmt.Sprintf("%T, of which a method %v", err, bad)
		encodeError(b, &RemoteError{Type: fmt.Sprintf("%T", err), Message: text})
		return false
	}
	*b = *e.b
	return e.final
}

func (program) DecodeError(r *codec.Reader) error { return decodeError(r) }

func (program) Panicked(v any, stack string) error {
	return &PanicError{Value: task.Text(v), Stack: stack}
}

func (program) Exited() error {
	return errors.New("mp: the function ended its goroutine by runtime.Goexit: return instead")
}

func (program) Final(err error) bool {
	if task.IsPlain(err) {
		return isFinal(err)
	}
	final, bad := task.Guard(func() bool { return isFinal(err) })
	return final && bad == nil
}

func (program) TooLarge(size, limit int64) error {
	return Permanent(fmt.Errorf("mp: an outcome of %d bytes or more is over PoolConfig.MaxResult, which is %d", size, limit))
}

func (program) TimedOut(after time.Duration) error { return &TimeoutError{After: after} }

func (program) OutputLost(stream int, n int64, why error) error { return outputLost(stream, n, why) }

func (program) OutputLate(waited time.Duration) error { return outputLate(waited) }

func (program) Died(pid int, e spawn.Exit) error {
	d := &WorkerDiedError{PID: pid, ExitCode: e.Code, Reason: e.Reason, Stderr: e.Stderr}
	if e.Signal != 0 {
		d.Signal = e.Signal
	}
	switch {
	case e.OOMKilled:
		d.Reason = reasonOOM
	case e.Unknown && e.Reason != "":
		d.Reason = e.Reason + " (" + host.StatusTaken + ")"
	case e.Unknown:
		d.Reason = host.StatusTaken
	}
	return d
}

func (program) TaskKey() any { return taskKey{} }

func (program) Task(fn string, index, attempt, worker int) any {
	return TaskInfo{Func: fn, Index: index, Attempt: attempt, Worker: worker}
}

// Share and Join are where processes that share something come to know of each other.
func (program) Share() (host.Sharer, error) {
	table, err := proctable.File()
	return sharer{proctable.NewChild(), table}, err
}

func (program) Join(table *os.File, key uint64, ask func(proctable.Request)) {
	if table != nil {
		proctable.Join(table, key, Current().Name, ask)
	}
}

// sharer is a child that may share something.
type sharer struct {
	*proctable.Child
	table *os.File
}

func (s sharer) Table() *os.File { return s.table }

func (s sharer) MarkDead(int) { s.Child.MarkDead() }
