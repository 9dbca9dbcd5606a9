//go:build linux

package shared_test

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	// In a process of its own, so that no other test's CPU counts.
	roles["crowded put"] = func(_ []*os.File, _ []string) {
		q, err := shared.NewQueue(0, true, queueKind)
		must(err)
		item := &carrier.Item{Files: []*os.File{os.Stdin}}
		n := 0
		for err == nil {
			err = q.TryPut(item)
			n++
		}
		if !errors.Is(err, carrier.ErrFull) {
			panic(err)
		}
		done := make(chan error)
		go func() { done <- q.Put(context.Background(), item) }()
		time.Sleep(100 * time.Millisecond)
		if took := cpuDuring(time.Second); took > 100*time.Millisecond {
			panic("it took " + took.String() + " of CPU to wait for a second")
		}
		start := time.Now()
		for range 2 { // room for one more, and some
			_, files, err := q.TryGet(nil)
			must(err)
			closeAll(files)
		}
		must(<-done)
		if took := time.Since(start); took > 500*time.Millisecond {
			panic("it took " + took.String() + " to go on")
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() { done <- q.Put(ctx, item) }()
		for q.TryPut(item) == nil {
		}
		cancel()
		if err := <-done; err != nil && err != context.Canceled {
			panic(err)
		}
	}
	roles["put and stay"] = func(files []*os.File, _ []string) { // puts a file, has no copy, and stays
		q := openQueue(files[1:4]...)
		err := q.Put(context.Background(), &carrier.Item{Files: files[:1]})
		if err != carrier.ErrQueueClosed {
			panic(err)
		}
		closeAll(files[:1])
		e, err := shared.OpenEvent(files[4])
		must(err)
		e.Set()
		forever()
	}
	roles["join and stay"] = func(files []*os.File, _ []string) {
		q := openQueue(files[0])
		q.Join(context.Background())
	}
	roles["open"] = func(files []*os.File, args []string) {
		q := openQueue(files[0])
		if q.Cap() != atoi(args[0]) {
			panic(q.Cap())
		}
		must(q.TryPut(bytesItem(nil)))
	}
}

// A Put that waits because the kernel keeps no more descriptors takes no CPU.
func TestQueuePutThatIsCrowdedRests(t *testing.T) {
	play(t, "crowded put", nil).ended()
}

func TestQueueOfAnyCapacity(t *testing.T) {
	t.Parallel()
	for _, capacity := range []int{math.MaxInt, math.MaxInt/2 + 1} {
		q := newQueue(t, capacity, false)
		play(t, "open", q.Files(), strconv.Itoa(capacity)).ended()
		if q.Cap() != capacity || q.Full() || q.Len() != 1 {
			t.Error(q.Cap(), q.Len())
		}
	}
}

// CloseNow gives the memory back under the eyes of who reads it: that is no damage.
func TestQueueCloseNowBeforeARead(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 0, false)
	for range 2 {
		put(t, q, pattern(600_000, 0))
	}
	expect(t, q, pattern(600_000, 0)) // what is all zero could be item 0
	c := playFrom(t, invariantsExe(t), []string{"MP_POINT=queue.get.looked", "MP_POINT_STOP=1"}, "consume", append([]*os.File{os.Stdin}, q.Files()...))
	c.stops()
	if n, _ := q.CloseNow(); n != 1 {
		t.Error(n)
	}
	c.Process.Signal(syscall.SIGCONT)
	c.ended()
}

func TestQueueCloseNowDuringAGet(t *testing.T) {
	t.Parallel()
	for range long(2000, 200) {
		q := newQueue(t, 0, false)
		for i := range 3 {
			put(t, q, pattern(600_000, i))
		}
		for i := range 30 {
			put(t, q, pattern(100, i))
		}
		got := make(chan error)
		for range 2 {
			go func() {
				for {
					if _, _, err := q.Get(context.Background(), nil); err != nil {
						got <- err
						return
					}
				}
			}()
		}
		time.Sleep(time.Duration(time.Now().UnixNano() % 300_000))
		q.CloseNow()
		for range 2 {
			if err := <-got; err != carrier.ErrQueueClosed {
				t.Fatal(err)
			}
		}
	}
}

// A file that was sent for a Put which then found the queue closed is gone: for who waits
// for its end, the end of a pipe for one.
func TestQueuePutThatFindsItClosedLeavesNoFile(t *testing.T) {
	t.Parallel()
	exe := invariantsExe(t)
	ends := map[string]func(*shared.Queue){
		"Close": func(q *shared.Queue) { q.Shutdown() }, "CloseNow": func(q *shared.Queue) { q.CloseNow() },
		"Close and Get": func(q *shared.Queue) { q.Shutdown(); q.TryGet(nil) },
	}
	for name, end := range ends {
		for _, point := range []string{"written", "sent"} {
			findsItClosed(t, exe, name+" after "+point, "queue.put."+point, end)
		}
	}
}

func findsItClosed(t *testing.T, exe, name, point string, end func(*shared.Queue)) {
	t.Helper()
	q, e := newQueue(t, 0, true), newEvent(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	env := []string{"MP_POINT=" + point, "MP_POINT_STOP=1"}
	c := playFrom(t, exe, env, "put and stay", append(append([]*os.File{w}, q.Files()...), e.File()))
	w.Close()
	c.stops()
	end(q)
	c.Process.Signal(syscall.SIGCONT)
	if err := e.Wait(soon(t)); err != nil {
		t.Fatal(name, err)
	}
	r.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%s: the file lives on: %v", name, err)
	}
	c.kill()
	if _, _, err := q.TryGet(nil); err != carrier.ErrQueueClosed {
		t.Error(name, err)
	}
}

// A process is stopped as it is about to count what a dead one has left undone. Meanwhile
// another comes in the dead one's place: what it gets is its own.
func TestQueueJoinSettlesOnlyTheDead(t *testing.T) {
	t.Parallel()
	exe := invariantsExe(t)
	q, dead, e := newQueue(t, 0, false), newEvent(t), newEvent(t)
	put(t, q, nil)
	first := play(t, "take", []*os.File{q.Files()[0], dead.File()}, "1", "0")
	if err := dead.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	joins := playFrom(t, exe, []string{"MP_POINT=queue.join.dead", "MP_POINT_STOP=1"}, "join and stay", q.Files())
	time.Sleep(50 * time.Millisecond)
	first.kill()
	joins.stops()
	put(t, q, nil)
	second := play(t, "take", []*os.File{q.Files()[0], e.File()}, "1", "0")
	if err := e.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	joins.Process.Signal(syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := q.Join(ctx); err != context.DeadlineExceeded {
		t.Error("what the second one has got is not done:", err)
	}
	second.kill()
	var abandoned *carrier.AbandonedError
	if err := q.Join(soon(t)); !errors.As(err, &abandoned) || abandoned.Items != 2 {
		t.Error(err)
	}
	joins.kill()
}

// What one that was killed has not said to be free is free all the same when the ring is
// empty.
func TestQueueRingIsFreeAfterADeath(t *testing.T) {
	t.Parallel()
	exe := invariantsExe(t)
	q := newQueue(t, 0, false)
	for i := range 4 {
		put(t, q, pattern(500_000, i)) // the last two to the spill
	}
	for i := range 2 {
		c := playFrom(t, exe, []string{"MP_POINT=queue.get.committed"}, "take", q.Files(), "1", "0")
		c.reap()
		c.bury()
		if n := q.Len(); n != 3-i {
			t.Fatal("it has not died where it was to:", n)
		}
	}
	expect(t, q, pattern(500_000, 2))
	expect(t, q, pattern(500_000, 3))
	if n := q.InRing(); n != 0 {
		t.Errorf("%d bytes of the ring are taken, and the queue is empty", n)
	}
}
