//go:build !linux

package proctable

import (
	"os"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Processes share nothing on these systems, so none of this is called.

func pidNamespace() uint64            { return 0 }
func openPIDFD(int) (*os.File, error) { return nil, shm.Supported() }
func dupPIDFD(*os.File) (int, error)  { return -1, shm.Supported() }
func closePIDFD(int)                  {}
func awaitExit(int)                   {}
func processDead(int) bool            { return false }
func descendant(int, int) (int, bool) { return 0, false }
