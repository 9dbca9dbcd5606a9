package frame

import (
	"fmt"
	"os"

	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// Files returns the descriptors that came with the last frame. The caller owns them. If Files is
// not called, the next call of Next closes them. If some were lost, Files closes the others and
// returns fdpass.ErrLost; the frame itself and later frames are intact.
func (f *Reader) Files() ([]*os.File, error) {
	set := f.files
	f.files = fdpass.Set{}
	if set.Lost {
		set.Close()
		return nil, fdpass.ErrLost
	}
	return set.Files, nil
}

// CloseFiles closes the descriptors that have arrived and that Files has not returned.
func (f *Reader) CloseFiles() {
	f.dropFiles()
	if f.Socket != nil {
		f.Socket.Close()
	}
}

func (f *Reader) dropFiles() {
	f.files.Close()
	f.files = fdpass.Set{}
}

// takeFiles takes the n descriptors that the current header announces. They arrived with its
// first byte, so takeFiles does not block. It returns what is wrong, or "".
func (f *Reader) takeFiles(n uint32) (reason string) {
	if f.Socket == nil {
		return "it announces descriptors, which this stream cannot carry"
	}
	if n > fdpass.Max {
		return fmt.Sprintf("it announces %d descriptors, and at most %d can come with one message", n, fdpass.Max)
	}
	set, err := f.Socket.Take(int(n))
	if err != nil {
		return err.Error()
	}
	f.files, f.filesTaken = set, true
	return ""
}
