package shm

import (
	"sync"
	"sync/atomic"
	"time"
)

// A pause is a time in which the whole program was stopped, by Ctrl-Z. The main process logs
// pauses in shared memory, before its children stop and after they continue, and every process
// reads them there. Deadlines move by the length of the pauses.
//
// The layout of the log, in byte offsets from its start. All times are on the shared clock:
//
//	  0  how many pauses have ended
//	  8  when the current pause began; 0: the program is not stopped
//	512  the last 64 pauses that have ended: begin and end of each; pause n is at n mod 64
const (
	endedIn    = 0
	currentIn  = 8
	lastIn     = 512
	lastPauses = 64
)

// PauseLogSize is how many bytes the log takes.
const PauseLogSize = lastIn + lastPauses*16

type pauseLog struct {
	region func() *Region
	at     int
}

// pauses is the log of this process, set by SetPauseLog.
var pauses atomic.Pointer[pauseLog]

// SetPauseLog says where this process finds the log: at a byte offset of a region. region
// returns nil as long as there is no log.
func SetPauseLog(region func() *Region, at int) { pauses.Store(&pauseLog{region, at}) }

// openPauseLog returns the log; nil if there is none, and so no pause.
func openPauseLog() (r *Region, at int) {
	log := pauses.Load()
	if log == nil {
		return nil, 0
	}
	return log.region(), log.at
}

// Pause logs that the program is about to stop. Only the main process may call Pause and
// Resume.
func Pause() {
	if r, at := openPauseLog(); r != nil {
		r.Word(at + currentIn).Store(uint64(Now()))
	}
}

// Resume logs that the program continues.
func Resume() {
	r, at := openPauseLog()
	if r == nil {
		return
	}
	begin, n := r.Word(at+currentIn).Load(), r.Word(at+endedIn).Load()
	if begin == 0 { // the log was made during the pause
		return
	}
	entry := at + lastIn + int(n%lastPauses)*16
	r.Word(entry).Store(begin)
	r.Word(entry + 8).Store(uint64(Now()))
	r.Word(at + endedIn).Store(n + 1)
	r.Word(at + currentIn).Store(0)
}

// Paused is how long the program was stopped since a time. Only the last 64 pauses count.
func Paused(since time.Time) time.Duration {
	r, at := openPauseLog()
	if r == nil {
		return 0
	}
	current := int64(r.Word(at + currentIn).Load()) // first, so that a pause that ends meanwhile is not missed
	n := r.Word(at + endedIn).Load()
	if current == 0 && n == 0 {
		return 0
	}
	from := clockStart + int64(since.Sub(clockBase))
	var sum int64
	if current != 0 {
		sum = max(0, Now()-max(current, from))
	}
	for i := n - min(n, lastPauses); i < n; i++ {
		entry := at + lastIn + int(i%lastPauses)*16
		begin, end := int64(r.Word(entry).Load()), int64(r.Word(entry+8).Load())
		if begin != current {
			sum += max(0, end-max(begin, from))
		}
	}
	return time.Duration(sum)
}

// Elapsed is time.Since without the pauses.
func Elapsed(since time.Time) time.Duration { return time.Since(since) - Paused(since) }

// AfterFunc is time.AfterFunc for a duration that does not include pauses. stop is safe for
// concurrent use and returns what time.Timer's Stop does.
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

// After is time.After for a duration that does not include pauses.
func After(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	AfterFunc(d, func() { close(c) })
	return c
}
