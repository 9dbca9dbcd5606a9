package testkit

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Ctx returns a ctx that ends a test which hangs, long before the test binary would.
func Ctx(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Echo returns a function that returns its input, to be compared with what was sent.
func Echo[T any](name string) *mp.Func[T, T] {
	return mp.Register("travel/"+name, func(_ context.Context, v T) (T, error) { return v, nil })
}

// Same fails the test unless f, which echoes in a process of its own, returns a value deeply equal to v.
func Same[T any](t *testing.T, f *mp.Func[T, T], v T) {
	t.Helper()
	got, err := mp.Call(Ctx(t), f, v)
	if err != nil {
		t.Errorf("%.100s: %v", fmt.Sprintf("%#v", v), err)
	} else if !reflect.DeepEqual(got, v) {
		t.Errorf("got %.300s\nwant %.300s", fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", v))
	}
}
