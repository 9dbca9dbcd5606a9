package thread_test

import (
	"context"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

func TestCurrentFindsItsThread(t *testing.T) {
	t.Parallel()
	found := make(chan *thread.Thread, 2)
	th := startThread(t, t.Context(), "outer", func(ctx context.Context) error {
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		found <- thread.Current(ctx)
		found <- thread.Current(inner)
		return nil
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
	if a, b := <-found, <-found; a != th || b != th {
		t.Error(a, b)
	}
}

func TestCurrentOutsideIsMainThread(t *testing.T) {
	t.Parallel()
	main := thread.Current(context.Background())
	if main.Name() != "MainThread" || thread.Current(t.Context()) != main {
		t.Error(main)
	}
	foreign := make(chan *thread.Thread)
	go func() { foreign <- thread.Current(t.Context()) }()
	if th := <-foreign; th != main {
		t.Error("in a goroutine that is no thread:", th)
	}
}

func TestCurrentOfAThreadInAThread(t *testing.T) {
	t.Parallel()
	var outer, inner, seen *thread.Thread
	outer = startThread(t, t.Context(), "", func(ctx context.Context) (err error) {
		inner, err = thread.Start(ctx, "", func(ctx context.Context) error {
			seen = thread.Current(ctx)
			return nil
		})
		if err != nil {
			return err
		}
		return inner.Join(ctx)
	})
	if err := outer.Join(t.Context()); err != nil {
		t.Error(err)
	}
	if seen != inner || inner == outer {
		t.Error(seen, inner, outer)
	}
}

func TestCurrentInATaskOfAPoolIsMainThread(t *testing.T) {
	t.Parallel()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Terminate()
	who := thread.Func(func(ctx context.Context, _ mp.None) (string, error) {
		return thread.Current(ctx).Name(), nil
	})
	th := startThread(t, t.Context(), "caller", func(ctx context.Context) error {
		name, err := mp.Apply(ctx, pool, who, mp.None{})
		if name != "MainThread" {
			t.Error(name)
		}
		return err
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
}
