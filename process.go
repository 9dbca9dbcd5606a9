package mp

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proc/host"
)

// Process is a process that this one started. Its methods are safe for concurrent use.
type Process struct {
	name   string
	daemon bool
	call   *host.Caller
	killed atomic.Pointer[error] // why it was killed by us
	asked  sync.Once             // Interrupt was called, or the ctx has ended
	ending sync.Once             // Terminate was called
	forced atomic.Bool           // and SIGTERM was not enough
	shot   atomic.Bool           // Kill was called
	done   chan struct{}
	err    *ExitError // valid after done; nil: it ended well
	code   int
}

// kill kills the process and notes why.
func (p *Process) kill(why error) {
	p.killed.CompareAndSwap(nil, &why)
	p.call.Signal(syscall.SIGKILL)
}

// PID is the process's number.
func (p *Process) PID() int { return p.call.PID() }

// Name is the process's name.
func (p *Process) Name() string { return p.name }

// Alive reports whether the process has not ended, as multiprocessing.Process.is_alive.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Done returns a channel that is closed when the process has ended and its output was passed on. A slow writer
// delays that by a second at most.
func (p *Process) Done() <-chan struct{} { return p.done }

// Join waits until the process has ended, as multiprocessing.Process.join. The error is nil if it ended well, an
// *ExitError if it did not, or an *OutputError if it ended well but a part of its output could not be written
// (as with os/exec's Wait). If ctx ends first it is ctx's. If the process has already ended, Join returns how,
// even if ctx has ended, too. It may be called any number of times and is safe for concurrent use.
func (p *Process) Join(ctx context.Context) error {
	if err := p.join(ctx); err != nil {
		return err
	}
	return p.call.Lost()
}

// join is Join, but for what was lost of its output.
func (p *Process) join(ctx context.Context) error {
	if p.Alive() {
		select {
		case <-p.done:
		case <-ctx.Done():
			if p.Alive() {
				return ctx.Err()
			}
		}
	}
	if p.err != nil {
		return p.err
	}
	return nil
}

// ExitCode returns how the process ended: 0 well, 1 with an error, 2 with a panic, -N by signal N, as
// multiprocessing.Process.exitcode.
func (p *Process) ExitCode() (code int, exited bool) {
	select {
	case <-p.done:
		return p.code, true
	default:
		return 0, false
	}
}

// Interrupt asks the process to end: the ctx of its Func is cancelled. It does not
// wait, and has no effect on a process that has ended.
func (p *Process) Interrupt() error {
	p.asked.Do(p.call.Interrupt) // nobody may be listening, so that more would pile up
	return nil
}

// terminateGrace is how long a process may take to end by SIGTERM. Only one that
// handles or ignores that signal needs it all. It cannot be asked to undo that: a
// Go program which changes its handlers while it is dying by a signal crashes.
const terminateGrace = 40 * time.Millisecond

// Terminate ends the process and its process group at once by SIGTERM, whether or not its Func looks at its ctx.
// The exit code is -15, even if the process catches or ignores the signal and has to be killed. The one
// exception is a handler that exits by itself within 40 ms, which sets its own exit code. Terminate does not
// wait, and has no effect on a process that has ended.
func (p *Process) Terminate() error {
	err := p.call.Signal(syscall.SIGTERM)
	resume(p.call) // a stopped process would not notice
	p.ending.Do(func() {
		go func() {
			select {
			case <-p.done:
			case <-time.After(terminateGrace):
				p.forced.Store(true)
				p.call.Signal(syscall.SIGKILL) // Join tells
			}
		}()
	})
	return err
}

// Kill ends the process and its process group at once by SIGKILL. It does not
// wait, and has no effect on a process that has ended.
func (p *Process) Kill() error {
	p.shot.Store(true)
	return p.call.Signal(syscall.SIGKILL)
}

func init() {
	codec.Refuse(reflect.TypeFor[Process](), "a Process belongs to the process that started it: send its PID or its Name")
}

// family is the processes that this one started and that live.
type family struct {
	mu    sync.Mutex
	alive []*Process // in the order of their starts
}

var children family

func (f *family) add(p *Process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alive = append(f.alive, p)
}

func (f *family) remove(p *Process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alive = slices.DeleteFunc(f.alive, func(other *Process) bool { return other == p })
}

// String is for logs: the process's name and pid, and whether it runs or how it has ended.
func (p *Process) String() string {
	if p == nil {
		return "Process(nil)"
	}
	state := "running"
	if code, exited := p.ExitCode(); exited {
		var sig os.Signal
		reason := ""
		if p.err != nil {
			sig, reason = p.err.Signal, p.err.Reason
		}
		state = ending(code, sig, reason)
	}
	return fmt.Sprintf("Process(%s, pid %d, %s)", p.name, p.PID(), state)
}
