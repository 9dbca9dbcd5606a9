//go:build !linux

package shm

// MapWindow returns Supported's error.
func (r *Region) MapWindow(int64, int) ([]byte, error) { return nil, Supported() }

// UnmapWindow returns Supported's error.
func UnmapWindow([]byte) error { return Supported() }

// Punch returns Supported's error.
func (r *Region) Punch(_, _ int64) error { return Supported() }

// Memory returns Supported's error.
func (r *Region) Memory() (int64, error) { return 0, Supported() }
