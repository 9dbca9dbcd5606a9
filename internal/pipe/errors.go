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
	// ErrNonsense: what came is not what an End sends.
	ErrProtocol = errors.New("mp: the other end of the pipe talks nonsense")
	// ErrLost: descriptors of a message got lost, and the message with them.
	ErrLost = fmt.Errorf("mp: descriptors that came with the message got lost: %w", syscall.EMFILE)
	// ErrNoRoom: there is no free descriptor for those that come with the next message, which stays.
	ErrNoDescriptors = fmt.Errorf("mp: the next message stays: this process has no free descriptors for what comes with it; raise their number (ulimit -n) or close some: %w", syscall.EMFILE)
	// ErrTooMany: a message has more than fdpass.Max descriptors.
	ErrTooMany = fmt.Errorf("mp: a message holds more than %d descriptors of open files and shared objects: send it in several parts", fdpass.Max)
)

// errGone: what goes along with a message was closed while the message waited for room.
var errAttachmentClosed = fmt.Errorf("mp: something that the message holds was closed before it was sent: %w", os.ErrClosed)

// errCrowded: see End.crowded.
var errTooManyInFlight = fmt.Errorf("mp: sent and not yet received are more descriptors than a process of this user may have open (RLIMIT_NOFILE): %w", syscall.ETOOMANYREFS)

// wrongKind is the error when the next message is of the other kind.
func wrongKind(want Kind) error {
	if want == Value {
		return carrier.ErrNextIsBytes
	}
	return carrier.ErrNextIsValue
}
