package mp

import "runtime"

// panicOf is what f panics with, never nil for a panic. It does not return when f calls runtime.Goexit.
func panicOf(f func()) (v any) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v = recover(); v == nil {
			v = new(runtime.PanicNilError) // what panic(nil) is without GODEBUG=panicnil=1
		}
	}()
	f()
	returned = true
	return nil
}
