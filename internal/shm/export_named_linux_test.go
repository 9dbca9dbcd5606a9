package shm

import "path/filepath"

// CreateBlockAtOnce is CreateBlock as on a system without unnamed files.
func CreateBlockAtOnce(name string, size int) (*Block, error) {
	return createAtOnce(filepath.Join(namedIn, name), name, size)
}
