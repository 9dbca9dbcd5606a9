// Package suite is a test suite of a user's.
package suite

import (
	"context"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp"
)

var double = mp.Register("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })

func TestMain(m *testing.M) {
	mp.Main()
	os.Exit(m.Run())
}

func TestCall(t *testing.T) {
	if got, err := mp.Call(context.Background(), double, 4); got != 8 || err != nil {
		t.Error(got, err)
	}
}

func FuzzCall(f *testing.F) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { pool.Terminate() })
	f.Add(1)
	f.Fuzz(func(t *testing.T, n int) {
		if got, err := mp.Call(context.Background(), double, n); got != 2*n || err != nil {
			t.Error(got, err)
		}
		if got, err := mp.Apply(context.Background(), pool, double, n); got != 2*n || err != nil {
			t.Error(got, err)
		}
	})
}
