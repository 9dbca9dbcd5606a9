package spawn

import (
	"errors"

	"github.com/gomultiprocessing/mp/internal/bubble"
)

// errSynctest is returned where the clock and the channels are not the real ones.
var errSynctest = errors.New("processes and objects shared with them cannot be created inside a bubble of testing/synctest, " +
	"which has its own clock and channels: create them outside, or test with package thread")

// CheckStartable returns an error if this goroutine cannot start processes because it runs in a
// bubble of testing/synctest. The goroutine that forks children, and other state shared by all
// children, would belong to that bubble or be reached from it, and the runtime ends the program
// for either.
func CheckStartable() error {
	if bubble.Inside() {
		return errSynctest
	}
	return nil
}
