package proto

import (
	"os"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Sendable returns an error if the descriptors of a message cannot be sent.
func Sendable(b *codec.Buffer) error {
	if b.HasClosedFile() {
		return errtext.Errorf("mp: something that the value holds was closed before it was sent: %w", os.ErrClosed)
	}
	return nil
}
