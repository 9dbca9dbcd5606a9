//go:build linux

package pipe_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var (
	connHold = mp.Register("conn/hold", func(ctx context.Context, c *mp.Conn[int]) (mp.None, error) {
		<-ctx.Done()
		return mp.None{}, c.Close()
	})
	connEcho = mp.Register("conn/echo", func(ctx context.Context, c *mp.Conn[int]) (int, error) {
		for n := 0; ; n++ {
			v, err := c.Recv(ctx)
			if err == io.EOF {
				return n, nil
			}
			if err != nil {
				return n, err
			}
			if err := c.Send(ctx, v); err != nil {
				return n, err
			}
		}
	})
	connMake = mp.Register("conn/make", func(ctx context.Context, n int) ([]*mp.Conn[int], error) {
		a, b, err := mp.NewPipe[int]()
		if err != nil {
			return nil, err
		}
		for i := range n {
			if err := a.Send(ctx, i); err != nil {
				return nil, err
			}
		}
		return []*mp.Conn[int]{b}, nil
	})
)

// Parent passes b to a child and never touches it again; the child is killed: end of file.
func TestConnChildIsKilled(t *testing.T) {
	ctx := testkit.Ctx(t)
	for range testkit.Times(5, 50) {
		a, b := newConns[int](t)
		p, err := mp.Start(ctx, connHold, b)
		if err != nil {
			t.Fatal(err)
		}
		began := make(chan time.Time, 1)
		time.AfterFunc(20*time.Millisecond, func() {
			began <- time.Now()
			p.Kill()
		})
		if _, err := a.Recv(ctx); err != io.EOF {
			t.Fatal(err)
		}
		if d := time.Since(<-began); d > testkit.Within(100*time.Millisecond) {
			t.Error("after", d)
		}
		if err := connTry(b); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
		p.Join(ctx)
	}
}

func TestConnEchoInChild(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[int](t)
	a.Send(ctx, 1)
	a.Send(ctx, 2)
	if v, err := b.Recv(ctx); v != 1 || err != nil { // 2 is read ahead, and moves along
		t.Fatal(v, err)
	}
	p, err := mp.Start(ctx, connEcho, b)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2; i < 1000; i++ {
		if v, err := a.Recv(ctx); v != i || err != nil {
			t.Fatal(v, err)
		}
		if err := a.Send(ctx, i+1); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := a.Recv(ctx); v != 1000 || err != nil {
		t.Error(v, err)
	}
	a.Close()
	if err := p.Join(ctx); err != nil {
		t.Error(err)
	}
}

// A child makes a pipe, hands one end up, and dies.
func TestConnFromChild(t *testing.T) {
	ctx := testkit.Ctx(t)
	ends, err := mp.Call(ctx, connMake, 100)
	if err != nil || len(ends) != 1 {
		t.Fatal(ends, err)
	}
	defer ends[0].Close()
	for i := range 100 {
		if v, err := ends[0].Recv(ctx); v != i || err != nil {
			t.Fatal(v, err)
		}
	}
	if _, err := ends[0].Recv(ctx); err != io.EOF {
		t.Error(err)
	}
}

// A start that fails has moved nothing.
func TestConnStartFails(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[int](t)
	if _, err := mp.Start(ctx, connHold, b, mp.ProcessConfig{Dir: "/does/not/exist"}); err == nil {
		t.Fatal("it started")
	}
	a.Send(ctx, 1)
	if v, err := b.Recv(ctx); v != 1 || err != nil {
		t.Error(v, err)
	}
}

// As a pool's task.
func TestConnInPool(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Terminate()
	for range 20 {
		a, b := newConns[int](t)
		r := mp.ApplyAsync(ctx, pool, connEcho, b)
		for i := range 10 {
			a.Send(ctx, i)
			if v, err := a.Recv(ctx); v != i || err != nil {
				t.Fatal(v, err)
			}
		}
		a.Close()
		if n, err := r.Get(ctx); n != 10 || err != nil {
			t.Error(n, err)
		}
	}
}
