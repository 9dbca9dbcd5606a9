//go:build !linux

package spawn

import "errors"

// CanWatchMemory says why the memory of processes cannot be watched.
func CheckMemoryWatch() error { return errors.ErrUnsupported }
