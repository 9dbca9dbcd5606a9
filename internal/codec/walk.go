package codec

import "reflect"

// maxDepth is how deep values may be nested; every pointer, slice, map, interface, struct and
// array on the way to a value counts as one. At this depth the Go stack takes less than 64 MB, or
// 128 MB under the race detector, of the 1 GB (250 MB on 32-bit systems) that the runtime allows.
const maxDepth = 100_000

const (
	reasonCycle = "cycle: the value refers to itself through its pointers; break the cycle, or send indices instead of pointers"
	reasonDeep  = "the value is nested deeper than 100,000 levels: send it as a slice"
	reasonLarge = "the encoded value is larger than the limit of this message: send it in several parts"
)

// walk holds the state of encoding a value.
type walk struct {
	walkState
	start       int64         // size of the message when the outermost value began
	checkpoints []node        // the remembered nodes on the path from the root, see isCheckpoint
	sharing     *sharingStats // nil until the message is large
}

// walkState is what endValue restores, also after a failure.
type walkState struct {
	depth           int
	entered         int  // number of pointers, slices and maps on the path
	reachable       int  // words of memory that they lead to
	checkpointCount int  // len(walk.checkpoints)
	inKey           bool // inside a map key, see mapkey.go
	inexact         bool // a key of the innermost map may arrive equal to another
}

// node is something that can be met twice: what a pointer, slice or map leads to.
type node struct {
	at  address
	typ reflect.Type
	// words is the size of the memory. Two slices of different length over one array are
	// different nodes.
	words int
}

// isCheckpoint reports whether the n-th node of the path is remembered to find cycles. A walk
// around a cycle meets a checkpoint inside it again before the path is three times as long, so
// little is written twice. On a short path all nodes are checkpoints, on a long one a few dozen.
// Ordinary values have none.
func isCheckpoint(n int) bool {
	const (
		ordinary = 4
		near     = 20
		apart    = 4096
	)
	return n > ordinary && (n <= near || n&(n-1) == 0 || n%apart == 0)
}

// beginValue begins to encode a value from its root. A hook may encode a value while another is
// being encoded; then the walk continues.
func (b *Buffer) beginValue(words uintptr) walkState {
	before := b.walk.walkState
	if before.depth == 0 {
		b.walk.start, b.walk.sharing = b.Len(), nil
	}
	b.walk.reachable += int(words / wordSize)
	return before
}

// endValue restores the state that beginValue returned, also after a failure.
func (b *Buffer) endValue(before walkState) {
	b.walk.walkState = before
	clear(b.walk.checkpoints[before.checkpointCount:])
	b.walk.checkpoints = b.walk.checkpoints[:before.checkpointCount]
}

// descend goes one level down without passing a node.
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

// enter follows a pointer, slice or map. leave must be called only after success, because an
// error ends the walk.
func (b *Buffer) enter(p node) *Error {
	w := &b.walk
	w.entered++
	w.reachable += p.words
	for i := range w.checkpoints {
		if w.checkpoints[i].at == p.at && w.checkpoints[i] == p {
			return refused(reasonCycle)
		}
	}
	if err := b.descend(); err != nil {
		return err
	}
	if isCheckpoint(w.entered) {
		w.checkpoints = append(w.checkpoints, p)
		w.checkpointCount++
	}
	if b.Len()-w.start > countSharingFrom {
		return b.countVisit(p)
	}
	return nil
}

func (b *Buffer) leave(p node) {
	w := &b.walk
	w.depth--
	if isCheckpoint(w.entered) {
		w.checkpointCount--
		w.checkpoints[w.checkpointCount] = node{}
		w.checkpoints = w.checkpoints[:w.checkpointCount]
	}
	w.entered--
	w.reachable -= p.words
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
