package wire

import (
	"fmt"
	"os"
)

// Files returns the descriptors that came with the frame that Next returned. They are the
// caller's; those that nobody asks for are closed by the next call of Next. The error is
// ErrFilesLost, and there are none then: the frame is there all the same, and so are those that
// follow.
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

// CloseFiles closes the descriptors that have come and that nobody asked for.
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

// take takes the n descriptors that the header just read announces. They came with its first
// byte, so there is nothing to wait for. The answer says what is wrong.
func (f *FrameReader) takeFiles(n uint32) (reason string) {
	switch {
	case f.Socket == nil:
		return "it has descriptors, on a stream that carries none"
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
