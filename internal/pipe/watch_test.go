//go:build linux

package pipe_test

import (
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pipe"
)

// bell is a notify that can be waited for.
func bell() (notify func(), rings func(time.Duration) bool) {
	c := make(chan struct{}, 1)
	notify = func() {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	return notify, func(d time.Duration) bool {
		select {
		case <-c:
			return true
		case <-time.After(d):
			return false
		}
	}
}

// untilReady is what Select does.
func untilReady(t *testing.T, e *pipe.End, rings func(time.Duration) bool) {
	t.Helper()
	for !e.Ready() {
		if !rings(10 * time.Second) {
			t.Fatal("nobody rang")
		}
	}
}

func TestWatch(t *testing.T) {
	a, b := newPipe(t)
	notify, rings := bell()
	stop := b.Watch(notify)
	for range 100 {
		time.AfterFunc(100*time.Microsecond, func() { mustSend(t, a, "x") })
		untilReady(t, b, rings)
		mustReceive(t, b, "x")
		if b.Ready() {
			t.Fatal("ready for nothing")
		}
	}
	for rings(20 * time.Millisecond) { // what is late
	}
	if rings(20 * time.Millisecond) {
		t.Error("it rings all the time")
	}
	mustSend(t, a, "1") // read ahead with the second one
	mustSend(t, a, "2")
	mustReceive(t, b, "1")
	untilReady(t, b, rings)
	mustReceive(t, b, "2")
	a.Close()
	untilReady(t, b, rings)
	stop()
	stop()
}

// A watch that goes on keeps nothing open, and hears of the end.
func TestWatchOfWhatIsClosed(t *testing.T) {
	for _, closes := range []bool{true, false} {
		a, b := newPipe(t)
		notify, rings := bell()
		stop := b.Watch(notify)
		for rings(20 * time.Millisecond) {
		}
		if closes {
			b.Close()
			if _, err := a.Receive(background, pipe.Bytes, -1); err == nil {
				t.Error("a message of nobody")
			}
		} else {
			c := move(t, b)
			mustSend(t, a, "x")
			mustReceive(t, c, "x")
		}
		untilReady(t, b, rings)
		if !rings(10 * time.Second) {
			t.Error("nobody rang")
		}
		stop()
	}
	_, b := newPipe(t)
	b.Close()
	notify, rings := bell()
	defer b.Watch(notify)()
	if !rings(10 * time.Second) {
		t.Error("nobody rang")
	}
}

// Whoever waits in Receive gets what comes: Ready says no meanwhile.
func TestReadyWhileAnotherWaits(t *testing.T) {
	a, b := newPipe(t)
	b.SpinNever()
	done := make(chan struct{})
	go func() {
		defer close(done)
		mustReceive(t, b, "x")
	}()
	time.Sleep(10 * time.Millisecond)
	if b.Ready() {
		t.Error("ready")
	}
	mustSend(t, a, "x")
	<-done
}
