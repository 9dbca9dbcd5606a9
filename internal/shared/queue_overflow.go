package shared

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// The overflow area takes what the ring has no room for. Small items are copied through a window, a part of
// it that is mapped; large ones by system calls, which is faster where memory was not touched
// before. Each time that it was empty it begins anew, in memory that is warm. Behind the consumers
// the memory goes back to the kernel, but for that at the beginning.

const (
	windowSize = 1 << 20
	// windowItem and windowRead are the sizes in bytes up to which an item is put, and
	// got, through the window.
	windowItem = 32 << 10
	windowRead = 512 << 10
	// keptSize is how much memory stays with the overflow area, from its beginning on.
	keptSize = 2 << 20
	// punchStep is how much memory is given back at a time, while items follow.
	punchStep = 4 << 20
	pageSize  = 4096
	// punchLatchTimeout is how long a consumer waits for the producers' latch to give memory back.
	punchLatchTimeout = 5 * time.Millisecond
	// trustedSize is how much memory is allocated before the size in an item's head is checked.
	trustedSize = 1 << 20
)

var errTooLarge = errors.New("mp: the item is too large: 2^40 bytes or more")

// window is the part of the overflow area from at on that is mapped.
type window struct {
	at  uint64
	mem []byte
}

// windows are those of a process on one queue: one is used under the producers' latch, one under
// the consumers'.
type windows struct {
	mu       sync.Mutex // for the race detector, and for close
	put, got window
}

func (w *windows) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range []*window{&w.put, &w.got} {
		if one.mem != nil {
			shm.UnmapWindow(one.mem)
			one.mem = nil
		}
	}
}

// view is the memory at a position, if that many bytes are in one window; otherwise nil.
func (q *Queue) view(w *window, at, length uint64) ([]byte, error) {
	offset := at % overflowSize
	from := offset &^ (windowSize - 1)
	if offset+length > from+windowSize {
		return nil, nil
	}
	if w.mem == nil || w.at != from {
		if w.mem != nil {
			shm.UnmapWindow(w.mem)
			w.mem = nil
		}
		mem, err := q.object.MapWindow(overflowAt+int64(from), windowSize)
		if err != nil {
			return nil, err
		}
		w.at, w.mem = from, mem
	}
	return w.mem[offset-from:][:length], nil
}

// writeOverflow writes an item to the overflow area. It reports false if that is full, which takes
// more memory than a machine has.
func (q *Queue) writeOverflow(at, length uint64, front []byte, pieces [][]byte) (bool, error) {
	if given := q.punchedTo(); at+length > given && at+length-given > overflowSize-keptSize {
		return false, nil
	}
	if length <= windowItem {
		mem, err := q.view(&q.windows.put, at, length)
		if err != nil {
			return false, errtext.Errorf("mp: putting an item: %w", err)
		}
		if mem != nil {
			n := copy(mem, front)
			shm.Point("queue.put.headed")
			for _, p := range pieces {
				n += copy(mem[n:], p)
			}
			return true, nil
		}
	}
	err := q.writeAt(at, append([]byte(nil), front...)) // so that front need not be on the heap
	shm.Point("queue.put.headed")
	at += uint64(len(front))
	for _, p := range pieces {
		if err == nil {
			err = q.writeAt(at, p)
		}
		at += uint64(len(p))
	}
	if err != nil {
		return false, errtext.Errorf("mp: putting an item: %w", err)
	}
	return true, nil
}

// pieceSize is how many bytes are read or written by one system call.
const pieceSize = 8 << 20

// writeAt writes bytes to the overflow area.
func (q *Queue) writeAt(at uint64, p []byte) error {
	for len(p) > 0 {
		offset := at % overflowSize
		n := int(min(uint64(len(p)), overflowSize-offset, pieceSize))
		if _, err := q.object.File().WriteAt(p[:n], overflowAt+int64(offset)); err != nil {
			return err
		}
		p, at = p[n:], at+uint64(n)
	}
	return nil
}

// readAt reads bytes from the overflow area.
func (q *Queue) readAt(at uint64, p []byte) error {
	for len(p) > 0 {
		offset := at % overflowSize
		n := int(min(uint64(len(p)), overflowSize-offset, pieceSize))
		if _, err := q.object.File().ReadAt(p[:n], overflowAt+int64(offset)); err != nil {
			return err
		}
		p, at = p[n:], at+uint64(n)
	}
	return nil
}

// readOverflow copies item g out of the overflow area.
func (q *Queue) readOverflow(g uint64, it *item, buf []byte) error {
	at := it.overflow
	mem, err := q.view(&q.windows.got, at, 8) // a word lies in one window
	if err != nil {
		return errtext.Errorf("mp: getting an item: %w", err)
	}
	if !it.parse(g, word(mem)) || it.extent > overflowSize {
		return ErrDamaged
	}
	at += 8
	if it.tagged {
		if mem, err = q.view(&q.windows.got, at, 8); err != nil {
			return errtext.Errorf("mp: getting an item: %w", err)
		}
		it.tag = word(mem)
		at += 8
	}
	it.overflow += it.extent
	if it.extent <= windowRead {
		mem, err := q.view(&q.windows.got, at, it.size)
		if err != nil {
			return errtext.Errorf("mp: getting an item: %w", err)
		}
		if mem != nil {
			if it.size >= carrier.LargeItem {
				buf = nil
			}
			it.body = append(buf[:0], mem...)
			return nil
		}
	}
	return q.readLarge(at, it, buf)
}

// readLarge reads the bytes of an item by system calls.
func (q *Queue) readLarge(at uint64, it *item, buf []byte) error {
	if it.size > trustedSize {
		// The size is from the item's head: has the file as much memory?
		if have, err := q.object.Memory(); err != nil || uint64(have) < it.size {
			return errors.Join(ErrDamaged, err)
		}
	}
	if it.size < carrier.LargeItem && int(it.size) <= cap(buf) {
		it.body = buf[:it.size]
	} else {
		it.body = make([]byte, it.size)
	}
	if err := q.readAt(at, it.body); err != nil {
		return errtext.Errorf("mp: getting an item: %w", err)
	}
	return nil
}

// punchedTo is the position up to which memory was given back.
func (q *Queue) punchedTo() uint64 { return word(q.punched) }

// punchRead gives back the memory between what is kept and a position, once there is enough of it.
// The item there is in the queue, so the overflow area does not begin anew. The consumers' latch
// is held.
func (q *Queue) punchRead(to uint64) {
	from := q.punchedTo()
	to &^= pageSize - 1
	if to <= from || to-from < punchStep || to-from > overflowSize {
		return
	}
	for at := from &^ (pageSize - 1); at < to; {
		offset := at % overflowSize
		n := min(to-at, overflowSize-offset)
		if q.object.Punch(overflowAt+int64(offset), int64(n)) != nil {
			return
		}
		at += n
	}
	shm.Point("queue.get.punched")
	setWord(q.punched, to)
}

// punchAll gives back all memory but what is kept, once the overflow area is empty, unless a
// producer begins anew there. The consumers' latch is held.
func (q *Queue) punchAll() {
	if !q.putLatch.TryLock() {
		ctx, cancel := context.WithTimeout(context.Background(), punchLatchTimeout)
		defer cancel()
		if q.putLatch.Lock(ctx) != nil {
			return // the next one does it
		}
	}
	if q.gets.Load() >= q.overflowEnd.Load() {
		q.object.Punch(overflowAt+keptSize, overflowSize-keptSize)
	}
	shm.Point("queue.get.emptied")
	q.putLatch.Unlock()
}
