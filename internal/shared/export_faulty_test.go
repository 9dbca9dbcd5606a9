package shared

import (
	"context"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// Two operations of a queue with a fault each, by which a test shows that it would notice them. They
// are for small items without descriptors.

// FaultyPut is Put that counts the item before it writes it.
func (q *Queue) FaultyPut(ctx context.Context, m *carrier.Item) error {
	if err := q.putLatch.Lock(ctx); err != nil {
		return err
	}
	n := q.puts.Load()
	if n&closedBit != 0 {
		q.putLatch.Unlock()
		return carrier.ErrQueueClosed
	}
	size := sizeOf(m)
	length := extent(uint64(size), false)
	now, next := q.tail[n&1*16:][:16], q.tail[(n+1)&1*16:][:16]
	at := word(now)
	fits, err := q.fitsRing(at, length)
	if err != nil || !fits {
		q.putLatch.Unlock()
		if err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
		return q.FaultyPut(ctx, m)
	}
	setWord(next, at+length)
	setWord(next[8:], word(now[8:]))
	q.puts.CompareAndSwap(n, n+1)
	var head [8]byte
	setWord(head[:], itemHead(n, size, false))
	shm.Point("queue.put.headed")
	q.writeRing(at, head[:], m.Pieces)
	q.putLatch.Unlock()
	q.getters.Wake(1)
	return nil
}

// FaultyGet is Get that frees the item's place before it reads the item.
func (q *Queue) FaultyGet(ctx context.Context) ([]byte, error) {
	for {
		if err := q.getLatch.Lock(ctx); err != nil {
			return nil, err
		}
		g, p := q.gets.Load(), q.puts.Load()
		if g != p&^closedBit {
			break
		}
		q.getLatch.Unlock()
		if p&closedBit != 0 {
			return nil, carrier.ErrQueueClosed
		}
		time.Sleep(time.Millisecond)
	}
	defer q.getLatch.Unlock()
	g := q.gets.Load()
	now, next := q.head[g&1*16:][:16], q.head[(g+1)&1*16:][:16]
	at := word(now)
	var it item
	if !it.parse(g, word(q.ring[at%ringSize:])) {
		return nil, ErrDamaged
	}
	setWord(next, at+it.extent)
	setWord(next[8:], word(now[8:]))
	q.freed.Store(at + it.extent)
	q.gets.CompareAndSwap(g, g+1)
	time.Sleep(100 * time.Microsecond) // so that a producer writes there
	return q.copyOut((at+8)%ringSize, int(it.size), nil), nil
}
