package wire

import (
	"fmt"
	"os"
)

// Files returns the descriptors that came with the last frame. The caller owns them; the next
// call of Next closes those that were not asked for. If they were lost it returns none and
// ErrFilesLost; the frame itself and later frames are intact.
func (f *FrameReader) Files() ([]*os.File, error) {
	files := f.files
	f.files = nil
	if f.filesLost {
		f.filesLost = false
		CloseFiles(files)
		return nil, ErrFilesLost
	}
	return files, nil
}

// CloseFiles closes the descriptors that have arrived and were not asked for.
func (f *FrameReader) CloseFiles() {
	f.dropFiles()
	if f.Socket != nil {
		f.Socket.Close()
	}
}

func (f *FrameReader) dropFiles() {
	CloseFiles(f.files)
	f.files, f.filesLost = nil, false
}

// takeFiles takes the n descriptors that the current header announces. They arrived with its
// first byte, so this does not block. It returns what is wrong, or "".
func (f *FrameReader) takeFiles(n uint32) (reason string) {
	switch {
	case f.Socket == nil:
		return "it announces descriptors, which this stream cannot carry"
	case n > maxBatchFiles:
		return fmt.Sprintf("%d descriptors in one message", n)
	case f.announced+int(n) > MaxFiles:
		return fmt.Sprintf("more than %d descriptors", MaxFiles)
	}
	p, err := f.Socket.takeBatch(int(n))
	if err != nil {
		return err.Error()
	}
	f.announced += int(n)
	f.files = append(f.files, p.files...)
	f.filesLost = f.filesLost || p.truncated
	f.filesPending, f.headerFilesTaken = true, true
	return ""
}
