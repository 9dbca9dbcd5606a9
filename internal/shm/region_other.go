//go:build unix && !linux

package shm

import "os"

// create makes a file without a name.
func create(name string, size int) (*os.File, error) {
	f, err := os.CreateTemp("", name)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if err := f.Truncate(int64(size)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func check(f *os.File, size int) error { return checkSize(f, size) }
