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
var alive struct {
	sync.Mutex
	all []*Process
}

func (p *Process) list() {
	alive.Lock()
	defer alive.Unlock()
	alive.all = append(alive.all, p)
}

func (p *Process) unlist() {
	alive.Lock()
	defer alive.Unlock()
	alive.all = slices.DeleteFunc(alive.all, func(other *Process) bool { return other == p })
}

// living are the children that are not reaped, in the order of their starts.
func living() []*Process {
	alive.Lock()
	defer alive.Unlock()
	return slices.Clone(alive.all)
}
