package mp

import (
	"fmt"
	"os"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// A Pool that is dropped without Close is garbage some time later, while its workers live: nothing
// below refers to the Pool itself. As long as a call is under way it is referred to, by its
// caller or by what was submitted.

// watchDropped has a pool ended that becomes garbage before it was closed.
func watchDropped(p *Pool) *Pool {
	register(p)
	p.dropped = runtime.AddCleanup(p, endDropped, dropped{p.s, p.name})
	return p
}

// dropped is what is left of such a pool.
type dropped struct {
	s    *pool.Scheduler
	name string
}

func endDropped(d dropped) {
	fmt.Fprintf(os.Stderr, "mp: the pool %s was dropped without Close and is ended: call Close, Shutdown or Terminate\n", d.name)
	d.s.Close()
}
