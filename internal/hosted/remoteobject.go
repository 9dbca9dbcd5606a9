package hosted

import (
	"context"
	"runtime"
)

// Object is an object with methods of its own: see Callable.
type Object struct{ *remote }

// Invoke calls a method. The references of the arguments were made by Reference; those of the reply are to be
// opened.
func (o *Object) Invoke(ctx context.Context, method string, args Message) ([]byte, error) {
	q := request{
		frame:  frame{op: opInvoke, handle: o.handle, m: uint64(len(method)), refs: args.Refs, data: []byte(method)},
		pieces: [][]byte{args.Data}, waits: true,
	}
	r, err := o.client.do(ctx, &q)
	runtime.KeepAlive(o.remote)
	return r.data, err
}
