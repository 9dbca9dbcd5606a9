package proto

import (
	"fmt"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

// frameNames are the names of the frames that have fields, for errors.
var frameNames = map[byte]string{
	FrameHello:   "hello",
	FrameBatch:   "batch",
	FrameCancel:  "cancel",
	FrameStack:   "stack",
	FrameOutcome: "outcome",
	FrameExit:    "exit",
	FrameShare:   "share",
}

// Close ends the reading of a frame's payload. It returns an error that names the kind of frame
// if the payload was too short, or if bytes or descriptors are left.
func Close(kind byte, r *codec.Reader) error {
	err := r.Done()
	if err == nil {
		return nil
	}
	name, ok := frameNames[kind]
	if !ok {
		name = fmt.Sprintf("kind %d", kind)
	}
	return errtext.Errorf("mp: a malformed %s frame (%d bytes left): %w", name, r.Len(), err)
}

// CloseInput reads the encoded input that is the last field of a frame, and ends the reading of its
// payload as Close does. The descriptors of the frame belong to the input.
func CloseInput(kind byte, r *codec.Reader) (input *codec.Reader, err error) {
	input = r.Rest()
	return input, Close(kind, r)
}

// ReadCancel reads the payload of a cancel frame to a worker.
func ReadCancel(payload []byte) (id uint64, item int, err error) {
	r := codec.NewReader(payload)
	id, item = r.Uvarint(), int(r.Uvarint())
	return id, item, Close(FrameCancel, r)
}

// ReadStackRequest reads the payload of a stack frame to a worker.
func ReadStackRequest(payload []byte) (request uint64, err error) {
	r := codec.NewReader(payload)
	request = r.Uvarint()
	return request, Close(FrameStack, r)
}

// ReadStack reads the payload of a stack frame from a worker.
func ReadStack(payload []byte) (request uint64, stack string, err error) {
	r := codec.NewReader(payload)
	request, stack = r.Uvarint(), r.String()
	return request, stack, Close(FrameStack, r)
}

// ReadShare reads the payload of a share frame.
func ReadShare(payload []byte) (key uint64, name string, err error) {
	r := codec.NewReader(payload)
	key, name = r.Uint64(), r.String()
	return key, name, Close(FrameShare, r)
}
