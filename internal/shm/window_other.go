//go:build !linux

package shm

// MapWindow is for Linux, and so are the others here.
func (r *Region) MapWindow(int64, int) ([]byte, error) { return nil, Supported() }

// UnmapWindow undoes MapWindow.
func UnmapWindow([]byte) error { return Supported() }

// Punch gives memory of the region's file back.
func (r *Region) Punch(_, _ int64) error { return Supported() }

// Memory is how many bytes of memory the region's file takes at present.
func (r *Region) Memory() (int64, error) { return 0, Supported() }
