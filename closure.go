package mp

import (
	"context"
	"reflect"
	"runtime"
)

// closure makes a Func that only this process knows.
func closure[In, Out any](fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	if fn == nil {
		panic("mp: thread.Func: the function is nil")
	}
	name := "func"
	if f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()); f != nil {
		name = f.Name()
	}
	f := newFunc(name, fn)
	f.only = true
	return f
}
