//go:build unix

package mp

import "syscall"

// resume lets a stopped process go on.
func (p *Process) resume() { p.call.Signal(syscall.SIGCONT) } // in vain if it is dead
