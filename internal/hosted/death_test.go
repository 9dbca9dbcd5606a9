//go:build linux

package hosted_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// What a client held goes on at once when its connection ends.

func TestLockOfADeadClientIsAbandoned(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{})
	dies, lives := connect(t, path, hosted.ClientConfig{}), connect(t, path, hosted.ClientConfig{})
	theirs := testkit.Must(dies.NewLock(ctx))(t)
	mine := same[*hosted.Lock](t, theirs, lives)
	first := testkit.Must(theirs.Acquire(ctx))(t)
	if first.Abandoned {
		t.Error("abandoned by nobody")
	}
	second := make(chan carrier.Grant)
	go func() {
		g, err := mine.Acquire(ctx)
		if err != nil {
			t.Error(err)
		}
		second <- g
	}()
	dies.Close()
	g := <-second
	if !g.Abandoned || g.Token <= first.Token {
		t.Error(g, "after", first)
	}
	if err := mine.Release(first.Token); err != carrier.ErrNotOwner {
		t.Error("another's acquisition:", err)
	}
	if err := mine.Release(g.Token); err != nil {
		t.Error(err)
	}
	if g := testkit.Must(mine.Acquire(ctx))(t); g.Abandoned {
		t.Error("it is said once")
	}
}

func TestPermitsOfADeadClientComeBack(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{})
	dies, lives := connect(t, path, hosted.ClientConfig{}), connect(t, path, hosted.ClientConfig{})
	theirs := testkit.Must(dies.NewSemaphore(ctx, 2, true))(t)
	mine := same[*hosted.Semaphore](t, theirs, lives)
	testkit.Must(theirs.Acquire(ctx))(t)
	last := testkit.Must(theirs.Acquire(ctx))(t)
	dies.Close()
	for range 2 {
		g := testkit.Must(mine.Acquire(ctx))(t)
		if g.Token <= last.Token {
			t.Error(g, "after", last)
		}
	}
	if n := mine.Available(); n != 0 {
		t.Error(n, "permits")
	}
}

func TestItemsOfADeadClientAreAbandoned(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{})
	dies, lives := connect(t, path, hosted.ClientConfig{}), connect(t, path, hosted.ClientConfig{})
	theirs := testkit.Must(dies.NewQueue(ctx, hosted.FirstInFirstOut, 0, 0))(t)
	mine := same[*hosted.Queue](t, theirs, lives)
	for range 3 {
		if err := mine.PutMessage(ctx, hosted.Message{Data: []byte("item")}); err != nil {
			t.Fatal(err)
		}
		if b, _, err := theirs.Get(ctx, nil); err != nil || string(b) != "item" {
			t.Fatal(b, err)
		}
	}
	if err := theirs.TaskDone(); err != nil {
		t.Error(err)
	}
	joined := make(chan error)
	go func() { joined <- mine.Join(ctx) }()
	dies.Close()
	var abandoned *carrier.AbandonedError
	if err := <-joined; !errors.As(err, &abandoned) || abandoned.Items != 2 {
		t.Error(err)
	}
	if err := mine.Join(ctx); err != nil || mine.Unfinished() != 0 {
		t.Error("it is said once:", err)
	}
}

func TestWaitersOfADeadClientLeave(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{})
	dies, lives := connect(t, path, hosted.ClientConfig{}), connect(t, path, hosted.ClientConfig{})
	lock := testkit.Must(lives.NewLock(ctx))(t)
	made := testkit.Must(lock.NewCondition())(t)
	condition := made.(*hosted.Condition)
	barrier := testkit.Must(lives.NewBarrier(ctx, 2))(t)
	queue := testkit.Must(lives.NewQueue(ctx, hosted.FirstInFirstOut, 0, 0))(t)
	ends := make(chan error, 3)
	theirs := same[*hosted.Condition](t, condition, dies)
	grant := testkit.Must(theirs.Mutex().Acquire(ctx))(t)
	go func() {
		_, err := theirs.Wait(ctx, grant.Token)
		ends <- err
	}()
	go func() {
		_, err := same[*hosted.Barrier](t, barrier, dies).Wait(ctx, nil)
		ends <- err
	}()
	go func() {
		_, _, err := same[*hosted.Queue](t, queue, dies).Get(ctx, nil)
		ends <- err
	}()
	eventually(t, "a party", func() bool { return barrier.Waiting() == 1 })
	grant = testkit.Must(lock.Acquire(ctx))(t) // it waits: the lock is free
	woken := make(chan error)
	dies.Close()
	for range 3 {
		if err := <-ends; !errors.Is(err, carrier.ErrLost) {
			t.Error(err)
		}
	}
	eventually(t, "a broken barrier", barrier.Broken)
	if grant.Abandoned {
		t.Error("a waiter does not hold the lock")
	}
	go func() {
		_, err := condition.Wait(ctx, grant.Token)
		woken <- err
	}()
	grant = testkit.Must(lock.Acquire(ctx))(t)
	if err := errors.Join(condition.Notify(grant.Token, 1), lock.Release(grant.Token), <-woken); err != nil {
		t.Error("a notification went to a dead waiter:", err)
	}
	if err := queue.PutMessage(ctx, hosted.Message{}); err != nil || queue.Len() != 1 {
		t.Error("an item went to a dead getter:", err)
	}
}

func TestChangeOfADeadClientIsDropped(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{})
	dies, lives := connect(t, path, hosted.ClientConfig{}), connect(t, path, hosted.ClientConfig{})
	theirs := testkit.Must(dies.NewValue(ctx, []uint64{1, 2}))(t)
	mine := same[*hosted.Value](t, theirs, lives)
	testkit.Must(theirs.Begin(ctx))(t)
	dies.Close()
	token := testkit.Must(mine.Begin(ctx))(t)
	var words [2]uint64
	if mine.Load(words[:]); words != [2]uint64{1, 2} {
		t.Error(words)
	}
	if err := mine.Commit(token, []uint64{3, 4}); err != nil {
		t.Error(err)
	}
	if mine.Load(words[:]); words != [2]uint64{3, 4} {
		t.Error(words)
	}
	if err := mine.Commit(token, []uint64{5, 6}); err != carrier.ErrNotOwner {
		t.Error(err)
	}
}

// A client that is silent for a heartbeat is gone, and so is a server.
func TestSilence(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{Heartbeat: 100e6})
	silent := newRelay(t, path)
	theirs := silent.connect(t, hosted.ClientConfig{Heartbeat: 100e6, Limit: 60e9})
	lives := connect(t, path, hosted.ClientConfig{Heartbeat: 100e6, Limit: 60e9})
	lock := testkit.Must(theirs.NewLock(ctx))(t)
	mine := same[*hosted.Lock](t, lock, lives)
	testkit.Must(lock.Acquire(ctx))(t)
	event := testkit.Must(theirs.NewEvent(ctx))(t)
	waits := make(chan error)
	go func() { waits <- event.Wait(ctx) }()
	silent.freeze()
	if g := testkit.Must(mine.Acquire(ctx))(t); !g.Abandoned {
		t.Error("a silent client released its lock")
	}
	if err := <-waits; !errors.Is(err, carrier.ErrLost) {
		t.Error(err)
	}
	if lives.Err() != nil || s.Sessions() != 1 {
		t.Error("a client that has nothing to say is lost:", lives.Err(), s.Sessions())
	}
}

// A server that does not answer a call which does not wait, nor a cancellation, is lost.
func TestServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	_, path := serve(t, hosted.Config{})
	for name, call := range map[string]func(*hosted.Event) error{
		"at once": func(e *hosted.Event) error {
			if e.IsSet() {
				return errors.New("it is not set")
			}
			return e.Err()
		},
		"cancelled": func(e *hosted.Event) error {
			ctx, cancel := context.WithTimeout(context.Background(), 1e6)
			defer cancel()
			return e.Wait(ctx)
		},
	} {
		r := newRelay(t, path)
		c := r.connect(t, hosted.ClientConfig{Heartbeat: 400e6, Limit: 100e6})
		event := testkit.Must(c.NewEvent(testkit.Ctx(t)))(t)
		r.freeze()
		if err := call(event); !errors.Is(err, carrier.ErrLost) {
			t.Error(name, err)
		}
	}
}
