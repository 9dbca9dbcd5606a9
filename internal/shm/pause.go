package shm

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Pauses are the times in which the whole program was stopped, by Ctrl-Z. The main process writes
// them into the process table, before its children stop and after they go on, and every process reads
// them there, whether it has a place or not. Deadlines move by them.
//
// By byte offsets, behind what table.go lists; all times are on the shared clock:
//
//	 512  how many pauses have ended
//	 520  since when the present one lasts; 0: there is none
//	1024  the last 64 that have ended: begin and end of each, by their number
const (
	pausesAt   = 512
	pausedAt   = 520
	lastAt     = 1024
	lastPauses = 64
)

// pauseTable is where a child that has no place finds the table.
var pauseTable struct {
	file   atomic.Pointer[os.File]
	once   sync.Once
	region *Region
}

// pauses is the memory that has them; nil: there can be none.
func pauses() *Region {
	if t := program.self.Load(); t != nil {
		return t.region
	}
	f := pauseTable.file.Load()
	if f == nil {
		return nil
	}
	pauseTable.once.Do(func() {
		if check(f, tableSize) == nil {
			pauseTable.region, _ = mapForReading(f, tableSize)
		}
	})
	return pauseTable.region
}

// Pause says that the program is being stopped. Pause and Resume are for the main process.
func Pause() {
	if r := pauses(); r != nil {
		r.Word(pausedAt).Store(uint64(Now()))
	}
}

// Resume says that it goes on.
func Resume() {
	r := pauses()
	if r == nil {
		return
	}
	begin, n := r.Word(pausedAt).Load(), r.Word(pausesAt).Load()
	if begin == 0 { // the table was not there yet
		return
	}
	at := lastAt + int(n%lastPauses)*16
	r.Word(at).Store(begin)
	r.Word(at + 8).Store(uint64(Now()))
	r.Word(pausesAt).Store(n + 1)
	r.Word(pausedAt).Store(0)
}

// Paused is for how long the program was stopped since then. Of very many times only the last 64 count.
func Paused(since time.Time) time.Duration {
	r := pauses()
	if r == nil {
		return 0
	}
	open := int64(r.Word(pausedAt).Load()) // first: a pause that ends meanwhile must not be missed
	n := r.Word(pausesAt).Load()
	if open == 0 && n == 0 {
		return 0
	}
	from := clockStart + int64(since.Sub(clockBase))
	var sum int64
	if open != 0 {
		sum = max(0, Now()-max(open, from))
	}
	for i := n - min(n, lastPauses); i < n; i++ {
		at := lastAt + int(i%lastPauses)*16
		begin, end := int64(r.Word(at).Load()), int64(r.Word(at+8).Load())
		if begin != open {
			sum += max(0, end-max(begin, from))
		}
	}
	return time.Duration(sum)
}

// Elapsed is the time since then in which the program was not stopped.
func Elapsed(since time.Time) time.Duration { return time.Since(since) - Paused(since) }

// AfterFunc is time.AfterFunc for a time in which the program is not stopped.
func AfterFunc(d time.Duration, f func()) (stop func() bool) {
	since := time.Now()
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(d, func() {
		mu.Lock()
		if left := d - Elapsed(since); left > 0 && !stopped {
			timer.Reset(left)
			mu.Unlock()
			return
		}
		mu.Unlock()
		f()
	})
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		return timer.Stop()
	}
}

// After is time.After for a time in which the program is not stopped.
func After(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	AfterFunc(d, func() { close(c) })
	return c
}
