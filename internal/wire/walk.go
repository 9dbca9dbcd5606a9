package wire

import "reflect"

const (
	// maxDepth is how deep values may be nested: every pointer, slice, map,
	// interface, struct and array on the way to a value counts as one. At this
	// depth the Go stack takes less than 64 MB, or 128 MB under the race detector,
	// of the 1 GB (250 MB on 32-bit systems) that the runtime allows.
	maxDepth = 100_000
	// trackingDepth is the depth from which the way is remembered to find
	// cycles. Ordinary values never get there, so they pay nothing.
	trackingDepth = 500
)

const (
	reasonCycle = "cycle: the value leads back to itself through its pointers, and would never end; cut the cycle, or send indices instead of pointers"
	reasonDeep  = "the value is nested deeper than 100,000 levels: send it as a slice"
	reasonLarge = "the encoded value is larger than the limit of this message"
)

// walk is where encoding stands in the value.
type walk struct {
	depth int
	on    map[place]struct{} // what the way leads through, beyond trackingDepth
}

// place is something that can be met twice on the way.
type place struct {
	at  address
	typ reflect.Type
	len int // two slices of different length over one array are different things
}

// descend goes one level down without passing something that can be met again.
func (b *Buffer) descend() *Error {
	b.walk.depth++
	if b.Max > 0 && b.Len() > b.Max {
		return refused(reasonLarge)
	}
	if b.walk.depth > maxDepth {
		return refused(reasonDeep)
	}
	return nil
}

func (b *Buffer) ascend() { b.walk.depth-- }

// enter follows a pointer, slice or map. After an error the walk is over, so
// only success is answered by leave.
func (b *Buffer) enter(p place) *Error {
	if err := b.descend(); err != nil || b.walk.depth <= trackingDepth {
		return err
	}
	if _, met := b.walk.on[p]; met {
		return refused(reasonCycle)
	}
	if b.walk.on == nil {
		b.walk.on = make(map[place]struct{})
	}
	b.walk.on[p] = struct{}{}
	return nil
}

func (b *Buffer) leave(p place) {
	if b.walk.depth > trackingDepth {
		delete(b.walk.on, p)
	}
	b.walk.depth--
}

// descend goes one level down in the message.
func (r *Reader) descend() error {
	r.depth++
	if r.depth > maxDepth {
		return r.fail("the value is nested deeper than 100,000 levels")
	}
	return r.err
}

func (r *Reader) ascend() { r.depth-- }
