//go:build linux

package testkit

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	contract "github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/key"
)

// LessInts is the order of encoded ints.
func LessInts(a, b []byte) bool {
	return int64(binary.NativeEndian.Uint64(a)) < int64(binary.NativeEndian.Uint64(b))
}

// ServeHosted serves connections until the listener is closed.
func ServeHosted(l net.Listener, s *hosted.Server) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go s.Serve(conn)
	}
}

// DialHosted is a client of the server that listens at a path.
func DialHosted(ctx context.Context, path string) (*hosted.Client, error) {
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return hosted.NewClient(ctx, conn, hosted.ClientConfig{Name: "a test", Address: path, Heartbeat: time.Minute, Limit: time.Minute})
		}
		select { // it does not listen yet
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Millisecond):
		}
	}
}

func init() {
	hosted.SetConnector(func(ctx context.Context, address string, _ hosted.ID) (*hosted.Client, error) {
		return DialHosted(ctx, address)
	})
}

// HostedServer serves at a path until its process is killed.
var HostedServer = mp.Register("testkit/server", func(ctx context.Context, path string) (mp.None, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return mp.None{}, err
	}
	s := hosted.NewServer(hosted.Config{Less: LessInts, Heartbeat: time.Minute})
	go ServeHosted(l, s)
	<-ctx.Done()
	l.Close()
	return mp.None{}, s.Close()
})

// hostedDir has the sockets of the servers.
var hostedDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "mp")
	if err != nil {
		panic(err)
	}
	AtEnd = append(AtEnd, func() { os.RemoveAll(dir) })
	return dir
})

// HostedHere is a client of a server in this process.
var HostedHere = sync.OnceValue(func() *hosted.Client {
	path := filepath.Join(hostedDir(), "here")
	l, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	s := hosted.NewServer(hosted.Config{Less: LessInts, Heartbeat: time.Minute})
	go ServeHosted(l, s)
	return dialed(path, func() {
		l.Close()
		s.Close()
	})
})

// HostedElsewhere is a client of a server in another process.
var HostedElsewhere = sync.OnceValue(func() *hosted.Client {
	path := filepath.Join(hostedDir(), "elsewhere")
	p, err := mp.Start(context.Background(), HostedServer, path, mp.ProcessConfig{Daemon: true})
	if err != nil {
		panic(err)
	}
	return dialed(path, func() {
		p.Kill()
		<-p.Done()
	})
})

func dialed(path string, end func()) *hosted.Client {
	c, err := DialHosted(context.Background(), path)
	if err != nil {
		panic(err)
	}
	AtEnd = append(AtEnd, func() {
		c.Close()
		end()
	})
	return c
}

// hostedCarrier has what a server has: no counters, for they are memory itself.
func hostedCarrier(client func() *hosted.Client) Carrier {
	semaphore := func(bounded bool) func(n int) (*mp.Semaphore, error) {
		return func(n int) (*mp.Semaphore, error) {
			s, err := client().NewSemaphore(context.Background(), n, bounded)
			return handleOf[*mp.Semaphore](s, err, hooks.Semaphore)
		}
	}
	lock := func() (*mp.Lock, error) {
		l, err := client().NewLock(context.Background())
		return handleOf[*mp.Lock](l, err, hooks.Lock)
	}
	return Carrier{
		hosted: client,
		Lock:   lock,
		Rlock: func() (*mp.RLock, error) {
			l, err := client().NewRLock(context.Background())
			return handleOf[*mp.RLock](l, err, hooks.RLock)
		},
		Semaphore: semaphore(false), BoundedSemaphore: semaphore(true),
		Condition: func(l *mp.Lock) (*mp.Condition, error) {
			if l == nil {
				var err error
				if l, err = lock(); err != nil {
					return nil, err
				}
			}
			return mp.NewCondition(l)
		},
		Event: func() (*mp.Event, error) {
			e, err := client().NewEvent(context.Background())
			return handleOf[*mp.Event](e, err, hooks.Event)
		},
		Barrier: func(n int) (*mp.Barrier, error) {
			b, err := client().NewBarrier(context.Background(), n)
			return handleOf[*mp.Barrier](b, err, hooks.Barrier)
		},
		Counter: func(int64) (*mp.Counter, error) { return nil, fmt.Errorf("a server has no counters") },
	}
}

// handleOf makes the type of package mp.
func handleOf[T any, C, I contract.Object](c C, err error, make func(I) any) (h T, _ error) {
	if err != nil {
		return h, err
	}
	return make(any(c).(I)).(T), nil
}

// NewHostedValue makes a value on a server.
func NewHostedValue[T any](client *hosted.Client, v T) (*mp.Value[T], error) {
	return mp.CarryValue(key.Key{}, v, func(words []uint64) (contract.Value, error) {
		return client.NewValue(context.Background(), words)
	})
}

// NewHostedQueue makes a queue on a server.
func NewHostedQueue[T any](client *hosted.Client, order hosted.Order, capacity int) (*mp.Queue[T], error) {
	number, _ := contract.ItemType[T]()
	q, err := client.NewQueue(context.Background(), order, capacity, number)
	if err != nil {
		return nil, err
	}
	return mp.CarryQueue(key.Key{}, contract.EncodeQueue[T](q)), nil
}

// hostedQueues are the queues of a server.
func hostedQueues(where string, client func() *hosted.Client) []QueueKind {
	kind := func(name string, order hosted.Order, next func([]int) int) QueueKind {
		return QueueKind{where + name, func(capacity int) (*mp.Queue[int], error) {
			return NewHostedQueue[int](client(), order, capacity)
		}, next}
	}
	return []QueueKind{
		kind("", hosted.FirstInFirstOut, oldest), kind(", the newest first", hosted.LastInFirstOut, newest),
		kind(", the least first", hosted.SmallestFirst, least),
	}
}

// OnServers runs a test with a server in this process, and with one in another.
func OnServers(t *testing.T, test func(t *testing.T, c *hosted.Client)) {
	t.Helper()
	t.Parallel()
	for name, client := range hostedClients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, client())
		})
	}
}

var hostedClients = map[string]func() *hosted.Client{"a server": HostedHere, "a server elsewhere": HostedElsewhere}

// serverQueues are the queues of both servers.
func serverQueues() (kinds []QueueKind) {
	for name, client := range hostedClients {
		kinds = append(kinds, hostedQueues(name, client)...)
	}
	return kinds
}
