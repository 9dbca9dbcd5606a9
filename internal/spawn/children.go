//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"slices"
	"sync"
)

// starts is held for reading while a child is started and registered. Holding it for writing
// means that every child is registered.
var starts sync.RWMutex

// children holds the children that have not been reaped.
var children struct {
	sync.Mutex
	all []*Process
}

func (p *Process) register() {
	children.Lock()
	defer children.Unlock()
	children.all = append(children.all, p)
}

func (p *Process) unregister() {
	children.Lock()
	defer children.Unlock()
	children.all = slices.DeleteFunc(children.all, func(other *Process) bool { return other == p })
}

// liveChildren returns the children that have not been reaped, in the order in which they were
// started.
func liveChildren() []*Process {
	children.Lock()
	defer children.Unlock()
	return slices.Clone(children.all)
}
