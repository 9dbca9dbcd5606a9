//go:build linux

package process_test

import "testing"

// TestFileSizeLimitIsNamed: shared memory is files to the kernel.
func TestFileSizeLimitIsNamed(t *testing.T) {
	t.Parallel()
	environ(t, nil, "filesize")
}
