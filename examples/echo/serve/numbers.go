package serve

import "sync/atomic"

// Reason is why a connection ended.
type Reason int

// The reasons. The first two are no errors.
const (
	Ended    Reason = iota // the client has ended its side, and got all back
	Closed                 // by the server, which closes
	Idle                   // nothing came for Config.Idle
	Slow                   // the client did not take what is its own for Config.WriteTimeout
	Reset                  // the client is gone
	Failed                 // anything else of the network's
	Panicked               // an error in this program
	Crashed                // its process died
	Reasons                // how many there are
)

var reasonNames = [Reasons]string{"ended", "closed", "idle", "slow", "reset", "failed", "panic", "crash"}

// String is the reason in one word.
func (r Reason) String() string {
	if r < 0 || r >= Reasons {
		return "unknown"
	}
	return reasonNames[r]
}

// Numbers are what a server counts. They hold no pointers, so they can be in an mp.Array,
// where other processes see them; nothing else is needed for that but atomic access.
type Numbers struct {
	PID          atomic.Int64 // of the process that counts
	Begun        atomic.Int64 // how often one has begun to
	Open         atomic.Int64 // connections
	Accepted     atomic.Int64 // connections so far
	Refused      atomic.Int64 // as there were Config.Room already
	AcceptErrors atomic.Int64
	In, Out      atomic.Int64 // bytes
	Ends         [Reasons]atomic.Int64

	_ [64]byte // another process's are in other cache lines
}

// Begin says that a process begins to count, where another one may have died.
func (n *Numbers) Begin(pid int) {
	n.PID.Store(int64(pid))
	n.Begun.Add(1)
	n.Ends[Crashed].Add(n.Open.Swap(0))
}
