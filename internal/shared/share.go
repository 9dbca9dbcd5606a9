package shared

import (
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// An object travels as its kind and its descriptor, some with a little more.

func init() {
	register(carrier.KindSharedLock, OpenLock)
	register(carrier.KindSharedSemaphore, OpenSemaphore)
	register(carrier.KindSharedEvent, OpenEvent)
	register(carrier.KindSharedBarrier, OpenBarrier)
	register(carrier.KindSharedValue, OpenValue)
	register(carrier.KindSharedCounter, OpenCounter)
	carrier.RegisterOpener(carrier.KindSharedCondition, openCondition)
	carrier.RegisterOpener(carrier.KindSharedQueue, openQueue)
	carrier.RegisterOpener(carrier.KindSharedMemory, openMemory)
}

// register registers the opener of objects that consist of one descriptor.
func register[C carrier.Object](k carrier.Kind, open func(*os.File) (C, error)) {
	carrier.RegisterOpener(k, func(r *codec.Reader) (carrier.Object, error) {
		f, err := takeFile(r)
		if err != nil {
			return nil, err
		}
		o, err := open(f)
		if err != nil {
			return nil, err
		}
		return o, nil
	})
}

func takeFile(r *codec.Reader) (*os.File, error) {
	f := r.TakeFile()
	if f == nil {
		if err := r.Err(); err != nil {
			return nil, err
		}
		return nil, errors.New("a descriptor is missing")
	}
	return f, nil
}

func share(b *codec.Buffer, k carrier.Kind, files ...*os.File) error {
	for _, f := range files {
		if f == nil {
			return carrier.ErrHandleClosed
		}
	}
	b.Byte(byte(k))
	for _, f := range files {
		b.Attach(codec.Attachment{File: f})
	}
	return nil
}

// Share implements carrier.Object.
func (l *Lock) Share(b *codec.Buffer) error { return share(b, carrier.KindSharedLock, l.File()) }

// Share implements carrier.Object.
func (s *Semaphore) Share(b *codec.Buffer) error {
	return share(b, carrier.KindSharedSemaphore, s.File())
}

// Share implements carrier.Object.
func (e *Event) Share(b *codec.Buffer) error { return share(b, carrier.KindSharedEvent, e.File()) }

// Share implements carrier.Object.
func (b *Barrier) Share(to *codec.Buffer) error {
	return share(to, carrier.KindSharedBarrier, b.File())
}

// Share implements carrier.Object.
func (v *Value) Share(b *codec.Buffer) error { return share(b, carrier.KindSharedValue, v.File()) }

// Share implements carrier.Object.
func (c *Counter) Share(b *codec.Buffer) error {
	return share(b, carrier.KindSharedCounter, c.File())
}

// Share implements carrier.Object. The condition brings its lock along.
func (c *Condition) Share(b *codec.Buffer) error {
	return share(b, carrier.KindSharedCondition, c.lock.File(), c.File())
}

func openCondition(r *codec.Reader) (carrier.Object, error) {
	f, err := takeFile(r)
	if err != nil {
		return nil, err
	}
	l, err := OpenLock(f)
	if err != nil {
		return nil, err
	}
	if f, err = takeFile(r); err != nil {
		l.Close()
		return nil, err
	}
	c, err := OpenCondition(f, l)
	if err != nil {
		l.Close()
		return nil, err
	}
	return c, nil
}

// Share implements carrier.Object.
func (q *Queue) Share(b *codec.Buffer) error {
	files := q.Files()
	if err := share(b, carrier.KindSharedQueue, files...); err != nil {
		return err
	}
	b.Byte(byte(len(files)))
	return nil
}

func openQueue(r *codec.Reader) (carrier.Object, error) {
	n := r.Byte()
	if err := r.Err(); err != nil {
		return nil, err
	}
	if n != 1 && n != 3 {
		return nil, fmt.Errorf("a queue with %d descriptors", n)
	}
	files := make([]*os.File, n)
	for i := range files {
		var err error
		if files[i], err = takeFile(r); err != nil {
			fdpass.CloseAll(files)
			return nil, err
		}
	}
	q, err := OpenQueue(files)
	if err != nil {
		return nil, err
	}
	return q, nil
}

// Share implements carrier.Object.
func (m *Memory) Share(b *codec.Buffer) error {
	if !m.open.Load() {
		return carrier.ErrMemoryClosed
	}
	share(b, carrier.KindSharedMemory, m.block.File())
	b.Uvarint(uint64(m.size))
	b.String(m.block.Name())
	return nil
}

func openMemory(r *codec.Reader) (carrier.Object, error) {
	size, name := r.Uvarint(), r.String()
	if err := r.Err(); err != nil {
		return nil, err
	}
	if size == 0 || size > math.MaxInt {
		return nil, errors.New("shared memory of no possible size")
	}
	f, err := takeFile(r)
	if err != nil {
		return nil, err
	}
	b, err := shm.AdoptBlock(f, name, int(size))
	if err != nil {
		return nil, err
	}
	return NewMemory(b), nil
}
