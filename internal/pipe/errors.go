package pipe

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// Errors of an End, besides io.EOF and those of package carrier.
var (
	// ErrProtocol: what was received is not what an End sends.
	ErrProtocol = errors.New("mp: what the other end of the pipe sent is not a message")
	// ErrLost: descriptors of a message got lost, and the message with them.
	ErrLost = fmt.Errorf("mp: descriptors that came with the message were lost, and so is the message: %w", syscall.EMFILE)
	// ErrNoDescriptors: there is no free descriptor for those that come with the next message, which stays.
	ErrNoDescriptors = fmt.Errorf("mp: the next message stays: this process has no free descriptors for what comes with it; raise the limit (ulimit -n) or close some: %w", syscall.EMFILE)
	// ErrTooMany: a message has more than fdpass.Max descriptors.
	ErrTooMany = fmt.Errorf("mp: a message holds more than %d descriptors of open files and shared objects: send it in several parts", fdpass.Max)
)

// errAttachmentClosed: what goes along with a message was closed while the message waited for room.
var errAttachmentClosed = fmt.Errorf("mp: a shared object or file in the message was closed before it was sent: %w", os.ErrClosed)

// errTooManyInFlight: see End.awaitReceivers.
var errTooManyInFlight = fmt.Errorf("mp: the processes of this user have sent more descriptors that are not yet received than one of them may have open (ulimit -n); receive some, or raise the limit: %w", syscall.ETOOMANYREFS)

// wrongKind is the error when the next message is of the other kind.
func wrongKind(want Kind) error {
	if want == Value {
		return carrier.ErrNextIsBytes
	}
	return carrier.ErrNextIsValue
}
