//go:build unix

package shm

import (
	"fmt"
	"os"
)

func checkSize(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != size {
		return fmt.Errorf("%s has %d bytes, not %d", f.Name(), info.Size(), size)
	}
	return nil
}
