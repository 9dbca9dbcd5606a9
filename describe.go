package mp

import (
	"fmt"
	"os"
	"reflect"
)

// Name is the pool's name: PoolConfig.Name, or Pool-N. That of a nil Pool is empty.
func (p *Pool) Name() string {
	if p == nil {
		return ""
	}
	return p.name
}

// String is for logs: the pool's name, how many workers it should have, and whether it takes tasks.
func (p *Pool) String() string {
	if p.refusal() != nil {
		return "Pool(nil)"
	}
	return fmt.Sprintf("Pool(%s, %d %s, %s)", p.name, p.s.Workers(), p.transport.workers(), p.s.State())
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

// String is for logs: the type of the value, and whether it is there. The value itself is not shown.
func (r *Result[T]) String() string {
	t := reflect.TypeFor[T]()
	switch {
	case r == nil:
		return fmt.Sprintf("Result(nil %v)", t)
	case !r.Ready():
		return fmt.Sprintf("Result(%v, pending)", t)
	}
	if err := r.Err(); err != nil {
		return fmt.Sprintf("Result(%v, failed: %v)", t, err)
	}
	return fmt.Sprintf("Result(%v, done)", t)
}
