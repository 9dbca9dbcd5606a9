package codec

import (
	"os"

	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// LocalFiles returns duplicates of the descriptors for a receiver of the message in this process,
// which must close those that it does not take.
func (b *Buffer) LocalFiles() (files []*os.File, err error) {
	for i := range b.attached {
		f, err := fdpass.Duplicate(b.attached[i].File, b.attached[i].File.Name())
		if err != nil {
			fdpass.CloseAll(files)
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}
