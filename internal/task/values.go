package task

import "context"

// PropagatedKey finds, in the ctx of a call, what was propagated to it: a map[string]string.
type PropagatedKey struct{}

// Own is implemented by keys of ctxs, or by the values under them, that belong to this module and
// say something of one task, thread or holder: they do not pass from the ctx of a call to that of its
// tasks, which are others.
type Own interface{ OwnOfCtx() }

// ValuesOf returns the ctx whose values tasks on goroutines inherit, without its end; nil when it cannot have values.
func ValuesOf(ctx context.Context) context.Context {
	if ctx == context.Background() || ctx == context.TODO() {
		return nil
	}
	return ctx
}

// inherited is a value of the caller's ctx that is the program's.
func (cs *Set) inherited(key any) any {
	if cs.Values == nil {
		return nil
	}
	if _, own := key.(Own); own {
		return nil
	}
	v := context.WithoutCancel(cs.Values).Value(key)
	if _, own := v.(Own); own {
		return nil
	}
	return v
}
