package mp

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

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// processQueue holds items in memory that processes share.
type processQueue[T any] struct {
	core  *shared.Queue
	codec *wire.Codec[T]
	size  int  // of items that travel as memory
	flat  bool // they do
}

// queueType is what a queue of a type is like.
type queueType struct {
	carries bool   // items may have descriptors
	kind    uint64 // by which a queue of another type is known
}

// carriesFiles says whether a value of the type may hold something that travels as a descriptor.
func carriesFiles[T any]() bool { return queueTypeOf[T]().carries }

var queueTypes sync.Map // reflect.Type to queueType

func queueTypeOf[T any]() queueType {
	t := reflect.TypeFor[T]()
	if known, ok := queueTypes.Load(t); ok {
		return known.(queueType)
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d", t.PkgPath(), t, t.Size())
	qt := queueType{carries: wire.MayAttach(t), kind: h.Sum64()}
	queueTypes.Store(t, qt)
	return qt
}

func newProcessQueue[T any](capacity int) (*processQueue[T], error) {
	t := queueTypeOf[T]()
	core, err := shared.NewQueue(capacity, t.carries, t.kind)
	if err != nil {
		return nil, err
	}
	return faceOf[T](core), nil
}

func faceOf[T any](core *shared.Queue) *processQueue[T] {
	q := &processQueue[T]{core: core, codec: wire.For[T]()}
	q.size, q.flat = wire.MemorySize[T]()
	return q
}

// Files is what another process needs to have the queue.
func (q *processQueue[T]) Files() []*os.File { return q.core.Files() }

func adoptProcessQueue[T any](r *wire.Reader) (*processQueue[T], error) {
	t := queueTypeOf[T]()
	files := make([]*os.File, 1, 3)
	if t.carries {
		files = files[:3]
	}
	for i := range files {
		if files[i] = r.TakeFile(); files[i] == nil {
			wire.CloseFiles(files[:i])
			return nil, r.Err()
		}
	}
	core, err := shared.OpenQueue(files, t.kind)
	if err != nil {
		return nil, err
	}
	return faceOf[T](core), nil
}

// scratch is what a put or a get needs for a moment.
type scratch struct {
	item   shared.Item
	buf    []byte
	buffer wire.Buffer
	reader wire.Reader
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
	s.item.Files = nil
	scratches.Put(s)
}

func (q *processQueue[T]) Put(ctx context.Context, v T) error { return q.send(ctx, true, v) }
func (q *processQueue[T]) TryPut(v T) error                   { return q.send(context.Background(), false, v) }

// send puts an item. ctx is for waiting.
func (q *processQueue[T]) send(ctx context.Context, wait bool, v T) error {
	s := scratches.Get().(*scratch)
	if !q.flat {
		encoded := v // so that what is flat is not on the heap
		return q.sendEncoded(ctx, wait, s, &encoded)
	}
	if cap(s.buf) < q.size {
		s.buf = make([]byte, q.size)
	}
	p := s.buf[:q.size]
	q.codec.PutMemory(p, &v)
	s.item.Pieces = append(s.item.Pieces, p)
	err := q.hand(ctx, wait, &s.item)
	s.free()
	return err
}

func (q *processQueue[T]) sendEncoded(ctx context.Context, wait bool, s *scratch, v *T) (err error) {
	sent, returned := false, false
	defer func() { // also when a method of v ends the goroutine
		s.buffer.Settle(sent)
		if returned {
			s.buffer.Reset()
			s.free()
		}
	}()
	if err = q.codec.Encode(&s.buffer, "item", v); err == nil {
		s.buffer.WriteTo(s)
		for _, a := range s.buffer.Attachments() {
			s.item.Files = append(s.item.Files, a.File)
		}
		err = q.hand(ctx, wait, &s.item)
	}
	sent, returned = err == nil, true
	return err
}

// hand gives an encoded item to the queue.
func (q *processQueue[T]) hand(ctx context.Context, wait bool, item *shared.Item) (err error) {
	if wait {
		err = q.core.Put(ctx, item)
	} else {
		err = q.core.TryPut(item)
	}
	runtime.KeepAlive(q)
	return err
}

func (q *processQueue[T]) Get(ctx context.Context) (v T, err error) {
	s := scratches.Get().(*scratch)
	body, files, err := q.core.Get(ctx, s.buf)
	return q.receive(s, body, files, err)
}

func (q *processQueue[T]) TryGet() (v T, err error) {
	s := scratches.Get().(*scratch)
	body, files, err := q.core.TryGet(s.buf)
	return q.receive(s, body, files, err)
}

// receive decodes an item.
func (q *processQueue[T]) receive(s *scratch, body []byte, files []*os.File, err error) (v T, _ error) {
	runtime.KeepAlive(q)
	if err != nil {
		s.free()
		wire.CloseFiles(files)
		if errors.Is(err, syscall.EMFILE) {
			return v, errtext.Errorf("mp: the next item stays: this process has no free descriptors for what comes with it; raise their number or close some: %w", err)
		}
		return v, err
	}
	if len(body) < shared.LargeItem {
		s.buf = body
	}
	if q.flat {
		err = q.codec.GetMemory(body, &v)
		s.free()
		return v, err
	}
	return q.decode(s, body, files)
}

func (q *processQueue[T]) decode(s *scratch, body []byte, files []*os.File) (v T, err error) {
	s.reader.Reset(body)
	s.reader.Alias = len(body) >= shared.LargeItem
	s.reader.Attached(files)
	returned := false
	defer func() { // also when a method of v ends the goroutine
		s.reader.CloseAttached()
		if returned {
			s.reader.Reset(nil)
			s.free()
		}
	}()
	if err = q.codec.Decode(&s.reader, &v); err == nil {
		err = s.reader.Done()
	}
	returned = true
	return v, err
}

func (q *processQueue[T]) Len() int                          { return q.core.Len() }
func (q *processQueue[T]) Cap() int                          { return q.core.Cap() }
func (q *processQueue[T]) Full() bool                        { return q.core.Full() }
func (q *processQueue[T]) Closed() bool                      { return q.core.Closed() }
func (q *processQueue[T]) Unfinished() int                   { return q.core.Unfinished() }
func (q *processQueue[T]) Shutdown() error                   { return q.core.Shutdown() }
func (q *processQueue[T]) CloseNow() (int, error)            { return q.core.CloseNow() }
func (q *processQueue[T]) Readable() bool                    { return q.core.Readable() }
func (q *processQueue[T]) Watch(notify func()) (stop func()) { return q.core.Watch(notify) }
func (q *processQueue[T]) TaskDone() error                   { return q.core.TaskDone() }
func (q *processQueue[T]) Join(ctx context.Context) error    { return q.core.Join(ctx) }
