package shm

import (
	"os"
	"testing"
	"time"
)

const testLogAt = 256

// newPauseLog gives this process a log of its own, and returns its descriptor.
func newPauseLog(t *testing.T) *os.File {
	t.Helper()
	f, region, err := NewSingleWriter("mp-test-pauses", 4096)
	if err != nil {
		t.Fatal(err)
	}
	SetPauseLog(func() *Region { return region }, testLogAt)
	t.Cleanup(func() {
		pauses.Store(nil)
		region.Unmap()
		f.Close()
	})
	return f
}

// Paused counts the part of each pause that is after the given time, and of the current pause the
// part until now. The test sets the log of this process, so it does not run in parallel.
func TestPausedIsWhatOverlaps(t *testing.T) {
	if Supported() != nil {
		t.Skip("processes share nothing here")
	}
	newPauseLog(t)
	start := time.Now()
	between := func(got, least, most time.Duration) {
		t.Helper()
		if got < least || got > most {
			t.Errorf("paused for %v, not %v to %v", got, least, most)
		}
	}
	between(Paused(start), 0, 0)
	before := time.Now()
	Pause()
	begun := time.Now()
	time.Sleep(20 * time.Millisecond)
	open := time.Since(begun)
	between(Paused(start), open, time.Since(before))
	middle := time.Now()
	between(Paused(middle), 0, time.Since(middle))
	Resume()
	after := time.Now()
	between(Paused(start), open, after.Sub(before))
	between(Paused(middle), 0, after.Sub(middle))
	between(Paused(after), 0, 0)
	once := Paused(start)
	time.Sleep(10 * time.Millisecond)
	between(Paused(start), once, once)
	between(Elapsed(start), time.Since(start)-once-time.Second, time.Since(start)-once)
	for range lastPauses - 1 {
		Pause()
		Resume()
	}
	between(Paused(start), once, time.Since(before))
	Pause()
	Resume() // the log drops the first one
	if got := Paused(before); got >= once && once > time.Since(after) {
		t.Errorf("%d pauses are kept", lastPauses+1)
	}
}

// A child sees pauses through a read-only mapping.
func TestPausedInAChild(t *testing.T) {
	if Supported() != nil {
		t.Skip("processes share nothing here")
	}
	f := newPauseLog(t)
	region, err := OpenReadOnly(f, 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer region.Unmap()
	n := region.Word(testLogAt + endedIn).Load()
	Pause()
	if region.Word(testLogAt+currentIn).Load() == 0 {
		t.Error("an open pause is not seen")
	}
	Resume()
	if region.Word(testLogAt+currentIn).Load() != 0 || region.Word(testLogAt+endedIn).Load() != n+1 {
		t.Error("a pause is not seen")
	}
}

// AfterFunc does not count pauses.
func TestAfterFuncWaitsForThePause(t *testing.T) {
	if Supported() != nil {
		t.Skip("processes share nothing here")
	}
	newPauseLog(t)
	done := make(chan time.Time)
	AfterFunc(50*time.Millisecond, func() { done <- time.Now() })
	Pause()
	time.Sleep(150 * time.Millisecond)
	select {
	case <-done:
		t.Error("called while the program was stopped")
	default:
	}
	Resume()
	<-done
	stop := AfterFunc(time.Hour, func() { t.Error("called after it was stopped") })
	if !stop() {
		t.Error("not stopped")
	}
}
