package proto

import (
	"math"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/frame"
)

// Kinds of frames on the socket.
const (
	FrameHello   = iota + 1 // parent: what the child is for
	FrameReady              // worker: Init is done
	FrameFailed             // child: Init, or the call, failed; payload: the error
	FrameBatch              // parent: tasks
	FrameCancel             // parent: stop an item; to a call: stop
	FrameStack              // parent: where is the running task? worker: there
	FrameClose              // parent: end when all is done
	FrameBell               // worker: there is something in the ring
	FrameRoom               // parent: there is room in the ring
	FrameOutcome            // worker: an outcome too big for the ring
	FrameBegun              // call: the function is being called
	FrameOutput             // call: it has returned; payload: the output, if that is wanted
	FrameExit               // parent: what a worker calls at its end; worker: what that has failed with
	FrameShare              // child: a request for a place in the process table
)

// What a child is for.
const (
	HelloWorker = 1
	HelloCall   = 2
)

// Empty is the payload of frames that need none. It is only read.
var Empty = new(codec.Buffer)

// FrameSlack is what a frame may have beyond the limit on one outcome.
const FrameSlack = 1 << 20

// AnySize is for frames from the parent, whose tasks may be of any size.
const AnySize = math.MaxInt64

// MaxControl bounds frames that carry no user values, in bytes.
const MaxControl = 32 << 20

// Keep returns a payload that stays valid after the next frame was read: a copy of a small one.
func Keep(payload []byte) []byte {
	if frame.IsLarge(payload) {
		return payload
	}
	return append(make([]byte, 0, len(payload)), payload...)
}
