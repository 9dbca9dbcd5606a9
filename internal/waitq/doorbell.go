package waitq

import (
	"runtime"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// doorbell is how other processes tell a process to check its waiters in an object. Each
// process has one in each object, in its row: so only processes that share the object can ring
// it, or spoil it. count counts the rings; it is a futex. asleep is 1 while the process sleeps
// until count changes. A doorbell keeps its object from becoming garbage, which would unmap the words.
type doorbell struct {
	object        *Object
	count, asleep *atomic.Uint32
}

func (o *Object) doorbell(slot int) doorbell {
	at := rowsAt + slot*rowSize + bellIn
	return doorbell{o, o.Word32(at), o.Word32(at + 4)}
}

func (d doorbell) ring() {
	d.count.Add(1)
	if d.asleep.Load() != 0 {
		shm.FutexWake(d.count)
	}
	runtime.KeepAlive(d.object)
}
