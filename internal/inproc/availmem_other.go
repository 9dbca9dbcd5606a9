//go:build !unix && !windows

package inproc

// hasRoom does not know.
func hasRoom(int) error { return nil }
