package shared

import "github.com/gomultiprocessing/mp/internal/carrier"

// A handle of the program on an object is counted, so that the object's descriptor is closed with the
// last one.

// Err implements carrier.Object.
func (l *Lock) Err() error { return nil }

// Close implements carrier.Object.
func (l *Lock) Close() error {
	l.object.Release()
	return nil
}

// Err implements carrier.Object.
func (s *Semaphore) Err() error { return nil }

// Close implements carrier.Object.
func (s *Semaphore) Close() error {
	s.object.Release()
	return nil
}

// Err implements carrier.Object.
func (e *Event) Err() error { return nil }

// Close implements carrier.Object.
func (e *Event) Close() error {
	e.object.Release()
	return nil
}

// Err implements carrier.Object.
func (b *Barrier) Err() error { return nil }

// Close implements carrier.Object.
func (b *Barrier) Close() error {
	b.object.Release()
	return nil
}

// Err implements carrier.Object.
func (v *Value) Err() error { return nil }

// Close implements carrier.Object.
func (v *Value) Close() error {
	v.object.Release()
	return nil
}

// Err implements carrier.Object.
func (c *Counter) Err() error { return nil }

// Close implements carrier.Object.
func (c *Counter) Close() error {
	c.object.Release()
	return nil
}

// Err implements carrier.Object.
func (c *Condition) Err() error { return nil }

// Close implements carrier.Object. The condition has a handle of its lock.
func (c *Condition) Close() error {
	c.object.Release()
	return c.lock.Close()
}

// Err implements carrier.Object.
func (q *Queue) Err() error { return nil }

// Close implements carrier.Object.
func (q *Queue) Close() error {
	q.sockets.release()
	q.object.Release()
	return nil
}

// Err implements carrier.Object.
func (m *Memory) Err() error {
	if !m.open.Load() {
		return carrier.ErrMemoryClosed
	}
	return nil
}
