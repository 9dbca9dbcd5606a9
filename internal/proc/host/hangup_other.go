//go:build !linux

package host

import (
	"os"
	"time"
)

// hangUp ends the socket of a dead worker: something else may hold the other end.
// A shutdown would drop what was sent and not read yet on these systems.
func hangUp(conn *os.File) {
	conn.SetDeadline(time.Now().Add(deathGrace)) // an error: it is closed, which is as good
}
