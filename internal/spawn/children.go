//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"slices"
	"sync"
)

// starts is held for reading while a child is started and listed: who has the other side knows all
// children.
var starts sync.RWMutex

// alive is the children that are not reaped.
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

// living are the children that are not reaped, in the order of their starts.
func liveChildren() []*Process {
	children.Lock()
	defer children.Unlock()
	return slices.Clone(children.all)
}
