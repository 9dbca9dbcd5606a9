package carrier

import "context"

// Event is what an Event is made of.
type Event interface {
	Object
	Set() error
	Clear() error
	IsSet() bool
	// Wait looks once before it looks at ctx.
	Wait(ctx context.Context) error
	// Watch calls notify, which does not block, when the flag may have been set, until stop
	// is called.
	Watch(notify func()) (stop func())
}
