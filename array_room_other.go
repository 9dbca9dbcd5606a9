//go:build !unix && !windows

package mp

// hasRoom does not know.
func hasRoom(int) error { return nil }
