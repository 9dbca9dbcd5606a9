//go:build linux

package hosted_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// When the server is killed, all that waits ends with ErrLost within a second, and what comes later at once.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	path := filepath.Join(t.TempDir(), "s")
	p, err := mp.Start(ctx, testkit.HostedServer, path, mp.ProcessConfig{Daemon: true})
	if err != nil {
		t.Fatal(err)
	}
	c := testkit.Must(testkit.DialHosted(ctx, path))(t)
	t.Cleanup(func() { c.Close() })
	lock, semaphore := testkit.Must(c.NewLock(ctx))(t), testkit.Must(c.NewSemaphore(ctx, 0, false))(t)
	testkit.Must(lock.Acquire(ctx))(t)
	made := testkit.Must(testkit.Must(c.NewLock(ctx))(t).NewCondition())(t)
	event, barrier := testkit.Must(c.NewEvent(ctx))(t), testkit.Must(c.NewBarrier(ctx, 2))(t)
	value := testkit.Must(c.NewValue(ctx, []uint64{1}))(t)
	queue := testkit.Must(c.NewQueue(ctx, hosted.FirstInFirstOut, 1, 0))(t)
	full := testkit.Must(c.NewQueue(ctx, hosted.FirstInFirstOut, 1, 0))(t)
	if err := full.PutMessage(ctx, hosted.Message{Data: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	token := testkit.Must(value.Begin(ctx))(t)
	g := testkit.Must(made.Mutex().Acquire(ctx))(t)
	waits := map[string]func() error{
		"Acquire":        func() error { return testkit.ErrorOf(lock.Acquire(ctx)) },
		"permits":        func() error { return testkit.ErrorOf(semaphore.Acquire(ctx)) },
		"Condition.Wait": func() error { return testkit.ErrorOf(made.Wait(ctx, g.Token)) },
		"Event.Wait":     func() error { return event.Wait(ctx) },
		"Barrier.Wait":   func() error { return testkit.ErrorOf(barrier.Wait(ctx, nil)) },
		"Begin":          func() error { return testkit.ErrorOf(value.Begin(ctx)) },
		"Get": func() error {
			_, _, err := queue.Get(ctx, nil)
			return err
		},
		"Put":  func() error { return full.PutMessage(ctx, hosted.Message{}) },
		"Join": func() error { return full.Join(ctx) },
	}
	ends := make(chan error, len(waits))
	for name, wait := range waits {
		go func() {
			if err := wait(); !errors.Is(err, carrier.ErrLost) {
				ends <- errors.Join(errors.New(name), err)
				return
			}
			ends <- nil
		}()
	}
	notified := make(chan struct{}, 8)
	stop := queue.Watch(func() { notified <- struct{}{} })
	eventually(t, "a party", func() bool { return barrier.Waiting() == 1 })
	p.Kill()
	began := time.Now()
	for range waits {
		if err := <-ends; err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	<-notified
	stop()
	if d := time.Since(began); d > time.Second && testkit.Strict {
		t.Errorf("it took %v until all knew", d)
	}
	for name, err := range map[string]error{
		"Release": lock.Release(g.Token), "Set": event.Set(), "TaskDone": queue.TaskDone(), "Abort": barrier.Abort(), "Commit": value.Commit(token, []uint64{1}),
		"NewLock": testkit.ErrorOf(c.NewLock(ctx)), "Err": lock.Err(), "Notify": made.Notify(g.Token, 1),
		"TryPut": queue.TryPutMessage(hosted.Message{}), "Return": semaphore.Return(1),
	} {
		if !errors.Is(err, carrier.ErrLost) {
			t.Error(name, err)
		}
	}
	if _, ok := lock.TryAcquire(); ok || event.IsSet() || queue.Len() != 0 || !queue.Readable() {
		t.Error("not zero")
	}
}

// An application's end of the server, and of the client, ends what waits, too.
func TestCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{})
	for _, end := range []func(c *hosted.Client){func(c *hosted.Client) { c.Close() }, func(*hosted.Client) { s.Close() }} {
		c := connect(t, path, hosted.ClientConfig{})
		event := testkit.Must(c.NewEvent(ctx))(t)
		waits := make(chan error)
		go func() { waits <- event.Wait(ctx) }()
		go end(c)
		if err := <-waits; !errors.Is(err, carrier.ErrLost) {
			t.Error(err)
		}
		<-c.Lost()
	}
	if n := s.Sessions() + s.Objects(); n != 0 {
		t.Error(n, "sessions and objects are left")
	}
	if _, err := s.NewSession("late", 1); !errors.Is(err, carrier.ErrLost) {
		t.Error(err)
	}
}
