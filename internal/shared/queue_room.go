package shared

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// What Get returns of a large item is garbage as soon as the program is through with it. In
// a process with a small heap the collector would run every few dozen items, and give their
// memory back to the kernel only to ask for it again: more work than the items are. So
// while large items come, a block that nobody touches, and that therefore takes no
// memory of the machine, lets the heap appear larger than it is, and up to as much more
// garbage gather. A process with a limit on its memory does without.
var room struct {
	got   atomic.Int64 // bytes of large items; with the block, since the collector ran last
	block atomic.Pointer[[]byte]
}

const (
	roomSize  = 16 << 20
	roomAfter = 8 << 20 // bytes of large items from which on it is worth it
)

// gotLarge notes a large item of n bytes.
func gotLarge(n int) {
	got := room.got.Add(int64(n))
	if got < roomAfter || room.block.Load() != nil || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	block := make([]byte, roomSize)
	if room.block.CompareAndSwap(nil, &block) {
		room.got.Store(1) // the collector may run at any moment: that is no reason to give up
		giveUpRoom()
	}
}

// collection is garbage at once, by which one learns that the collector has run.
type collection struct{ _ *collection }

// giveUpRoom gives the block up once the collector has run twice without a large item in
// between.
func giveUpRoom() {
	runtime.AddCleanup(new(collection), func(int) {
		if room.got.Swap(0) == 0 {
			room.block.Store(nil)
			return
		}
		giveUpRoom()
	}, 0)
}
