package carrier

import (
	"context"
	"os"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// Queue is what holds the items of a queue. ctx has not ended when Put and Get are called.
// Their errors are ctx's when it ends meanwhile; package mp adds ErrFull and ErrEmpty at a
// deadline.
type Queue[T any] interface {
	QueueState
	Put(ctx context.Context, v T) error
	TryPut(v T) error
	Get(ctx context.Context) (T, error)
	TryGet() (T, error)
}

// QueueState is what concerns a queue apart from its items.
type QueueState interface {
	Object
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

// ByteQueue is a queue of encoded items. Package mp makes a Queue of it.
type ByteQueue interface {
	QueueState
	// Type is a number that stands for the type of the items.
	Type() uint64
	Put(ctx context.Context, m *Item) error
	TryPut(m *Item) error
	// Get returns an item that is smaller than LargeItem in buf if that is large enough. The
	// files are the caller's.
	Get(ctx context.Context, buf []byte) (body []byte, files []*os.File, err error)
	TryGet(buf []byte) (body []byte, files []*os.File, err error)
}

// LargeItem is the size in bytes from which on an item that was got is memory of its own.
const LargeItem = 64 << 10

// Item is what is put. Its pieces follow one another.
type Item struct {
	Pieces     [][]byte
	Files      []*os.File
	References []codec.Reference // for a carrier that can keep alive what the item refers to
}
