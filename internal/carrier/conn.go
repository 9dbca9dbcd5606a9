package carrier

import "context"

// Conn is an end of a pipe. ctx has not ended when a method is called, except for Poll.
type Conn[T any] interface {
	Send(ctx context.Context, v T) error
	Recv(ctx context.Context) (T, error)
	// Poll waits for a message or for the end of file. It looks once before it looks at ctx.
	Poll(ctx context.Context) error
	SendBytes(ctx context.Context, p []byte) error
	// RecvBytes takes the next message if it is no longer than limit; -1 is no limit.
	RecvBytes(ctx context.Context, limit int) ([]byte, error)
	Close() error
	// Ready says whether a receive would find something, an error included.
	Ready() bool
	// Watch calls notify, which does not block, when Ready may have turned true, until stop
	// is called.
	Watch(notify func()) (stop func())
}
