package carrier

import (
	"context"
	"os"
)

// Conn is an end of a pipe. ctx has not ended when a method is called, except for Poll.
type Conn[T any] interface {
	ConnState
	Send(ctx context.Context, v T) error
	Recv(ctx context.Context) (T, error)
	SendBytes(ctx context.Context, p []byte) error
	// RecvBytes takes the next message if it is no longer than limit; -1 is no limit.
	RecvBytes(ctx context.Context, limit int) ([]byte, error)
}

// ConnState is what concerns a pipe's end apart from its messages.
type ConnState interface {
	Object
	// Poll waits for a message or for the end of file. It looks once before it looks at ctx.
	Poll(ctx context.Context) error
	// Ready says whether a receive would find something, an error included.
	Ready() bool
	// Watch calls notify, which does not block, when Ready may have turned true, until stop
	// is called.
	Watch(notify func()) (stop func())
}

// ByteConn is an end of a pipe for encoded messages. Package mp makes a Conn of it.
type ByteConn interface {
	ConnState
	// Sends says whether this end may send.
	Sends() bool
	Send(ctx context.Context, kind MessageKind, parts [][]byte, files []*os.File) error
	// Receive takes the next message if it is of that kind and no longer than limit; -1 is no limit.
	Receive(ctx context.Context, want MessageKind, limit int) (Message, error)
	// NoDescriptors says that no descriptors will come. It is called before anything else.
	NoDescriptors()
}

// MessageKind tells values from bytes.
type MessageKind byte

// The kinds of messages.
const (
	ValueMessage MessageKind = iota + 1
	BytesMessage
)

// String is for errors.
func (k MessageKind) String() string {
	if k == BytesMessage {
		return "bytes"
	}
	return "a value"
}

// Message is what an end receives. The files are the receiver's.
type Message struct {
	Kind  MessageKind
	Data  []byte
	Files []*os.File
}
