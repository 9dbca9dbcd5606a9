//go:build !linux

package spawn

import "errors"

// CheckMemoryWatch returns an error: the memory of processes cannot be watched here.
func CheckMemoryWatch() error { return errors.ErrUnsupported }
