package mp

import "context"

// needCtx panics if a method that waits was given no context, as the functions of package context do:
// a nil context is a mistake in the program, and waiting without end would hide it.
func needCtx(ctx context.Context, method string) {
	if ctx == nil {
		panicNilCtx(method)
	}
}

// panicNilCtx is apart so that needCtx is inlined.
//
//go:noinline
func panicNilCtx(method string) {
	panic("mp: " + method + ": the context is nil: use context.Background() to wait without end")
}
