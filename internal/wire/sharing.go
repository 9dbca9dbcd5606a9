package wire

import "math/bits"

// Pointers that are shared arrive as copies, so a chain of forty nodes, each of which
// points twice at the next, would be a message of a terabyte. It is told from
// an honest large value by what it was made from: from watchFrom on, the words of
// memory that pointers, slices and maps lead to are counted, and among them those
// that are met for the first time. Records that share a table have each word read
// some thousand times at most; a chain, after a few MiB more, a hundred thousand times.

// watchFrom is the size of a message, in bytes, from which its visits are counted.
// Only tests change it.
var countSharingFrom int64 = 32 << 20

const (
	// maxCopying limits how often each word is read, on average, times the bytes
	// that this wrote: a thousand times make an error from 256 MiB on.
	maxCopyCost = 1 << 38
	// recentPlaces is how many places are remembered. What is repeated without
	// bound is repeated most near its ends, where there are few.
	recentNodes = 4096
	// someVisits is how often the verdict is thought over, in visits.
	checkInterval = 1024

	reasonShared = "the message grows without bound by pointers to the same few values, because what is shared is copied each time it is met: send each value once, and indices instead of pointers"
)

// watch counts what a large message is made from.
type sharingStats struct {
	start      int64 // of the message, when the watch began
	visits     int   // since then
	wordsRead  int   // words of memory that they met
	wordsFound int   // of these, met for the first time
	recent     [recentNodes]node
}

// observe counts a visit of p.
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

// excessive says whether a message of this length copies too much too often.
func (w *sharingStats) excessive(length int64) bool {
	high, low := bits.Mul64(uint64(w.wordsRead), uint64(length-w.start))
	limit, rest := bits.Mul64(maxCopyCost, uint64(max(w.wordsFound, 1)))
	return high > limit || high == limit && low > rest
}
