package talk

import (
	"math"

	"github.com/gomultiprocessing/mp/internal/wire"
)

// Kinds of frames on the socket.
const (
	frameHello   = iota + 1 // parent: what the child is for
	frameReady              // worker: Init is done
	frameFailed             // child: Init, or the call, failed; payload: the error
	frameBatch              // parent: tasks
	frameCancel             // parent: stop an item; to a call: stop
	frameStack              // parent: where is the running task? worker: there
	frameClose              // parent: end when all is done
	frameBell               // worker: there is something in the ring
	frameRoom               // parent: there is room in the ring
	frameOutcome            // worker: an outcome too big for the ring
	frameBegun              // call: the function is being called
	frameOutput             // call: it has returned; payload: the output, if that is wanted
	frameExit               // parent: what a worker calls at its end; worker: what that has failed with
	frameShare              // child: a request for a place in the process table
)

const (
	helloWorker = 1
	helloCall   = 2
)

// none is the payload of frames that need none. It is only read.
var none = new(wire.Buffer)

// frameSlack is what a frame may have beyond the limit on one outcome.
const frameSlack = 1 << 20

// anySize is for frames from the parent, whose tasks may be of any size.
const anySize = math.MaxInt64

// maxControl bounds frames that carry no user values, in bytes.
const maxControl = 32 << 20
