package carrier

import "context"

// Queue is what holds the items of a queue. ctx has not ended when Put and Get are called.
// Their errors are ctx's when it ends meanwhile; package mp adds ErrFull and ErrEmpty at a
// deadline.
type Queue[T any] interface {
	Put(ctx context.Context, v T) error
	TryPut(v T) error
	Get(ctx context.Context) (T, error)
	TryGet() (T, error)
	Len() int
	Cap() int
	Full() bool
	Closed() bool
	Unfinished() int
	TaskDone() error
	// Join looks once before it looks at ctx.
	Join(ctx context.Context) error
	// Shutdown lets nothing more in, and CloseNow drops what is there as well.
	Shutdown() error
	CloseNow() (dropped int, err error)
	// Readable says whether there is an item, or there will be none any more.
	Readable() bool
	// Watch calls notify, which neither blocks nor uses the queue, when the queue may have
	// become readable, until stop is called.
	Watch(notify func()) (stop func())
}
