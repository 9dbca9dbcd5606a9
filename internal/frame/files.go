package frame

import (
	"fmt"
	"os"

	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// Files returns the descriptors that came with the last frame. The caller owns them; the next
// call of Next closes those that were not asked for. If they were lost it returns none and
// fdpass.ErrLost; the frame itself and later frames are intact.
func (f *Reader) Files() ([]*os.File, error) {
	files := f.files
	f.files = nil
	if f.filesLost {
		f.filesLost = false
		fdpass.CloseAll(files)
		return nil, fdpass.ErrLost
	}
	return files, nil
}

// CloseFiles closes the descriptors that have arrived and were not asked for.
func (f *Reader) CloseFiles() {
	f.dropFiles()
	if f.Socket != nil {
		f.Socket.Close()
	}
}

func (f *Reader) dropFiles() {
	fdpass.CloseAll(f.files)
	f.files, f.filesLost = nil, false
}

// takeFiles takes the n descriptors that the current header announces. They arrived with its
// first byte, so this does not block. It returns what is wrong, or "".
func (f *Reader) takeFiles(n uint32) (reason string) {
	switch {
	case f.Socket == nil:
		return "it announces descriptors, which this stream cannot carry"
	case n > fdpass.Max:
		return fmt.Sprintf("%d descriptors in one message", n)
	case f.announced+int(n) > MaxFiles:
		return fmt.Sprintf("more than %d descriptors", MaxFiles)
	}
	set, err := f.Socket.Take(int(n))
	if err != nil {
		return err.Error()
	}
	f.announced += int(n)
	f.files = append(f.files, set.Files...)
	f.filesLost = f.filesLost || set.Lost
	f.filesPending, f.headerFilesTaken = true, true
	return ""
}
