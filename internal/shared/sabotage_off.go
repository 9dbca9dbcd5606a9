//go:build !mpinvariants

package shared

// sabotaged says whether something is to be broken, for a test that shows that this is
// noticed: see the build tag mpinvariants.
func sabotaged(string) bool { return false }
