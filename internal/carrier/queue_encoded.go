package carrier

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"reflect"
	"runtime"
	"sync"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// encodedQueue encodes its items, and has what takes bytes hold them.
type encodedQueue[T any] struct {
	QueueState
	items ByteQueue // the same
	plan  *codec.Plan[T]
	size  int  // of items that travel as memory
	flat  bool // they do
}

// itemType is what a queue of a type is like.
type itemType struct {
	carries bool
	number  uint64
}

var itemTypes sync.Map // reflect.Type to itemType

// ItemType is the number that stands for a type of items, and whether an item may hold something that
// travels as a descriptor.
func ItemType[T any]() (number uint64, carries bool) {
	t := reflect.TypeFor[T]()
	if known, ok := itemTypes.Load(t); ok {
		known := known.(itemType)
		return known.number, known.carries
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d", t.PkgPath(), t, t.Size())
	own := itemType{carries: codec.MayAttach(t), number: h.Sum64()}
	itemTypes.Store(t, own)
	return own.number, own.carries
}

// EncodeQueue makes a Queue of a ByteQueue, by the codec of this module.
func EncodeQueue[T any](c ByteQueue) Queue[T] {
	q := &encodedQueue[T]{QueueState: c, items: c, plan: codec.For[T]()}
	q.size, q.flat = codec.MemorySize[T]()
	return q
}

// scratch is what a put or a get needs for a moment.
type scratch struct {
	item   Item
	buf    []byte
	buffer codec.Buffer
	reader codec.Reader
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Write collects the pieces of a message without copying them.
func (s *scratch) Write(piece []byte) (int, error) {
	s.item.Pieces = append(s.item.Pieces, piece)
	return len(piece), nil
}

// free gives the scratch back, without anything that it referred to.
func (s *scratch) free() {
	clear(s.item.Pieces)
	s.item.Pieces = s.item.Pieces[:0]
	s.item.Files, s.item.References = nil, nil
	scratches.Put(s)
}

func (q *encodedQueue[T]) Put(ctx context.Context, v T) error { return q.send(ctx, true, v) }
func (q *encodedQueue[T]) TryPut(v T) error                   { return q.send(context.Background(), false, v) }

// send puts an item. ctx is for waiting.
func (q *encodedQueue[T]) send(ctx context.Context, wait bool, v T) error {
	s := scratches.Get().(*scratch)
	if !q.flat {
		encoded := v // so that what is flat is not on the heap
		return q.sendEncoded(ctx, wait, s, &encoded)
	}
	if cap(s.buf) < q.size {
		s.buf = make([]byte, q.size)
	}
	p := s.buf[:q.size]
	q.plan.PutMemory(p, &v)
	s.item.Pieces = append(s.item.Pieces, p)
	err := q.hand(ctx, wait, &s.item)
	s.free()
	return err
}

func (q *encodedQueue[T]) sendEncoded(ctx context.Context, wait bool, s *scratch, v *T) (err error) {
	sent, returned := false, false
	defer func() { // also when a method of v ends the goroutine
		s.buffer.Settle(sent)
		if returned {
			s.buffer.Reset()
			s.free()
		}
	}()
	if err = q.plan.Encode(&s.buffer, "item", v); err == nil {
		s.buffer.WriteTo(s)
		for _, a := range s.buffer.Attachments() {
			s.item.Files = append(s.item.Files, a.File)
		}
		s.item.References = s.buffer.References()
		err = q.hand(ctx, wait, &s.item)
	}
	sent, returned = err == nil, true
	return err
}

// hand gives an encoded item to the queue.
func (q *encodedQueue[T]) hand(ctx context.Context, wait bool, item *Item) (err error) {
	if wait {
		err = q.items.Put(ctx, item)
	} else {
		err = q.items.TryPut(item)
	}
	runtime.KeepAlive(q)
	return err
}

func (q *encodedQueue[T]) Get(ctx context.Context) (v T, err error) {
	s := scratches.Get().(*scratch)
	body, files, err := q.items.Get(ctx, s.buf)
	return q.receive(s, body, files, err)
}

func (q *encodedQueue[T]) TryGet() (v T, err error) {
	s := scratches.Get().(*scratch)
	body, files, err := q.items.TryGet(s.buf)
	return q.receive(s, body, files, err)
}

// receive decodes an item.
func (q *encodedQueue[T]) receive(s *scratch, body []byte, files []*os.File, err error) (v T, _ error) {
	runtime.KeepAlive(q)
	if err != nil {
		s.free()
		fdpass.CloseAll(files)
		if errors.Is(err, syscall.EMFILE) {
			return v, errtext.Errorf("mp: the next item stays: this process has no free descriptors for what comes with it; raise the limit or close some: %w", err)
		}
		return v, err
	}
	if len(body) < LargeItem {
		s.buf = body
	}
	if q.flat {
		err = q.plan.GetMemory(body, &v)
		s.free()
		return v, err
	}
	return q.decode(s, body, files)
}

func (q *encodedQueue[T]) decode(s *scratch, body []byte, files []*os.File) (v T, err error) {
	s.reader.Reset(body)
	s.reader.Alias = len(body) >= LargeItem
	s.reader.Attached(files)
	returned := false
	defer func() { // also when a method of v ends the goroutine
		s.reader.CloseAttached()
		if returned {
			s.reader.Reset(nil)
			s.free()
		}
	}()
	if err = q.plan.Decode(&s.reader, &v); err == nil {
		err = s.reader.Done()
	}
	returned = true
	return v, err
}
