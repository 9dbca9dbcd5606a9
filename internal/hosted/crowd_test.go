//go:build linux

package hosted_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func used() (goroutines int, bytes uint64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools let go of
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// 1,000 clients, each of which waits in a Get, leave nothing behind: neither when they get something nor when
// they go.
func TestThousandClients(t *testing.T) {
	const many = 1000
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{})
	one := connect(t, path, hosted.ClientConfig{})
	q := testkit.Must(one.NewQueue(ctx, hosted.FirstInFirstOut, 0, 0))(t)
	round := func() {
		gets := make(chan error, many)
		var connected sync.WaitGroup
		var clients [many]*hosted.Client
		for i := range many {
			clients[i] = connect(t, path, hosted.ClientConfig{})
			theirs := same[*hosted.Queue](t, q, clients[i])
			connected.Add(1)
			go func() {
				connected.Done()
				_, _, err := theirs.Get(ctx, nil)
				gets <- err
			}()
		}
		connected.Wait()
		for range many / 2 {
			if err := q.PutMessage(ctx, hosted.Message{Data: []byte("item")}); err != nil {
				t.Fatal(err)
			}
		}
		for range many / 2 {
			if err := <-gets; err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range clients {
			c.Close()
		}
		for range many / 2 {
			if err := <-gets; !errors.Is(err, carrier.ErrLost) {
				t.Fatal(err)
			}
		}
		eventually(t, "the end of sessions", func() bool { return s.Sessions() == 1 })
		q.CloseNow()
		q.Close()
		q = testkit.Must(one.NewQueue(ctx, hosted.FirstInFirstOut, 0, 0))(t)
	}
	round()
	goroutines, bytes := used()
	round()
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
	var now uint64
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, now = used(); now < bytes+4<<20 || time.Now().After(end) {
			break
		}
	}
	if now > bytes+4<<20 {
		t.Errorf("%d KiB, %d KiB before", now>>10, bytes>>10)
	}
}
