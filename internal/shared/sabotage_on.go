//go:build mpinvariants

package shared

import "os"

var sabotage = os.Getenv("MP_SABOTAGE")

// sabotaged says whether something is to be broken, for a test that shows that this is
// noticed.
func sabotaged(what string) bool { return sabotage == what }
