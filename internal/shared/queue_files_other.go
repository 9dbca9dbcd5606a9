//go:build !linux

package shared

import (
	"os"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Only Linux has queues in shared memory.

func socketPair() (pair [2]*os.File, err error) { return pair, shm.Supported() }

func (q *Queue) sendFiles(uint64, []*os.File) (fits bool, err error) { return false, shm.Supported() }

func (q *Queue) peekFiles(uint64) (files []*os.File, lost, err error) {
	return nil, nil, shm.Supported()
}

func (q *Queue) dropFile() (more bool) { return false }

func (q *Queue) dropFiles() {}
