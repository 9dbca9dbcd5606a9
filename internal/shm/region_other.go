//go:build unix && !linux

package shm

import "os"

// create makes an unlinked file.
func create(name string, size int64) (*os.File, error) {
	f, err := os.CreateTemp("", name)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func check(f *os.File, size int64) error { return checkSize(f, size) }
