package codec

import "math/bits"

// Shared pointers arrive as copies, so a chain of forty nodes, each of which points twice at the
// next, would be a message of a terabyte. To tell it from a large value without sharing, the
// words of memory that pointers, slices and maps lead to are counted once a message is large,
// both in total and those met for the first time. When records share a table, each word is read at
// most about a thousand times. In a chain, a few MiB later, it is read a hundred thousand times.

// countSharingFrom is the size of a message, in bytes, from which visits are counted. Only tests
// change it.
var countSharingFrom int64 = 32 << 20

const (
	// maxCopyCost limits the average number of times that each word is read, multiplied by the
	// bytes written meanwhile: reading each word a thousand times is an error from 256 MiB on.
	maxCopyCost = 1 << 38
	// recentNodes is how many nodes are remembered. A value that repeats without bound repeats most
	// near its ends, where there are few nodes.
	recentNodes = 4096
	// checkInterval is the number of visits between two checks.
	checkInterval = 1024

	reasonShared = "the message grows without bound, because values that many pointers share are copied for each pointer: send each value once, and indices instead of pointers"
)

// sharingStats counts the words that went into a large message.
type sharingStats struct {
	start      int64 // size of the message when counting began
	visits     int   // since then
	wordsRead  int   // words of memory that the visits met
	wordsFound int   // of these, met for the first time
	recent     [recentNodes]node
}

// countVisit counts a visit of p.
func (b *Buffer) countVisit(p node) *Error {
	w := b.walk.sharing
	if w == nil {
		w = &sharingStats{start: b.Len(), wordsFound: b.walk.reachable}
		b.walk.sharing = w
	}
	w.visits++
	w.wordsRead += p.words + 1
	if slot := &w.recent[slotOf(p.at)]; *slot != p {
		*slot = p
		w.wordsFound += p.words + 1
	}
	if w.visits%checkInterval == 0 && w.excessive(b.Len()) {
		return refused(reasonShared)
	}
	return nil
}

// excessive reports whether a message of this length copies too much too often.
func (w *sharingStats) excessive(length int64) bool {
	high, low := bits.Mul64(uint64(w.wordsRead), uint64(length-w.start))
	limit, rest := bits.Mul64(maxCopyCost, uint64(max(w.wordsFound, 1)))
	return high > limit || high == limit && low > rest
}
