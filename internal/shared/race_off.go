//go:build !race

package shared

// fence tells the race detector that what went before one goroutine's release is seen
// by another's acquisition: it does not look at memory outside of Go's heap. Without
// the detector it is nothing.
type fence struct{}

func (*fence) acquire() {}
func (*fence) release() {}
