//go:build linux

package hosted_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// elsewhere is a client of a server in another process.
func elsewhere(b *testing.B) *hosted.Client {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "s")
	p, err := mp.Start(ctx, testkit.HostedServer, path, mp.ProcessConfig{Daemon: true})
	if err != nil {
		b.Fatal(err)
	}
	c, err := testkit.DialHosted(ctx, path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.Close()
		p.Kill()
		<-p.Done()
	})
	return c
}

// BenchmarkRoundTrip is what the socket costs: one byte there and one back, to another process.
func BenchmarkRoundTrip(b *testing.B) {
	path := filepath.Join(b.TempDir(), "s")
	p, err := mp.Start(context.Background(), echoBytes, path, mp.ProcessConfig{Daemon: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		p.Kill()
		<-p.Done()
	}()
	var conn net.Conn
	for conn == nil {
		conn, _ = net.Dial("unix", path)
	}
	defer conn.Close()
	buf := make([]byte, 1)
	for b.Loop() {
		conn.Write(buf)
		conn.Read(buf)
	}
}

var echoBytes = mp.Register("hosted/echo", func(_ context.Context, path string) (mp.None, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return mp.None{}, err
	}
	conn, err := l.Accept()
	for buf := make([]byte, 1); err == nil; {
		if _, err = conn.Read(buf); err == nil {
			_, err = conn.Write(buf)
		}
	}
	return mp.None{}, err
})

// BenchmarkQueue is a Put and a Get of an int.
func BenchmarkQueue(b *testing.B) {
	ctx := context.Background()
	q, err := testkit.NewHostedQueue[int](elsewhere(b), hosted.FirstInFirstOut, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Put(ctx, 1); err != nil {
			b.Fatal(err)
		}
		if _, err := q.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(2*b.N), "us/call")
}

// BenchmarkQueue16 is the same by 16 goroutines.
func BenchmarkQueue16(b *testing.B) {
	ctx := context.Background()
	q, err := testkit.NewHostedQueue[int](elsewhere(b), hosted.FirstInFirstOut, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(8) // of 2 processors
	b.RunParallel(func(loop *testing.PB) {
		for loop.Next() {
			if err := q.Put(ctx, 1); err != nil {
				b.Error(err)
			}
			if _, err := q.Get(ctx); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(2*b.N), "us/call")
}

// BenchmarkLock is an Acquire and a Release.
func BenchmarkLock(b *testing.B) {
	ctx := context.Background()
	l, err := elsewhere(b).NewLock(ctx)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g, err := l.Acquire(ctx)
		if err != nil {
			b.Fatal(err)
		}
		l.Release(g.Token)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(2*b.N), "us/call")
}

// BenchmarkLarge is a Put and a Get of 4 MiB.
func BenchmarkLarge(b *testing.B) {
	ctx := context.Background()
	q, err := elsewhere(b).NewQueue(ctx, hosted.FirstInFirstOut, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	item := make([]byte, 4<<20)
	b.SetBytes(int64(len(item)))
	for b.Loop() {
		if err := q.PutMessage(ctx, hosted.Message{Data: item}); err != nil {
			b.Fatal(err)
		}
		if _, _, err := q.Get(ctx, nil); err != nil {
			b.Fatal(err)
		}
	}
}
