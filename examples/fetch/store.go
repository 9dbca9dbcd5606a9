package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/examples/internal/leftover"
)

// store is the output folder. Whatever names it is given, it writes nowhere else.
type store struct {
	root *os.Root
	made atomic.Int64 // files, for the names of those that are being written
}

// tempName is the name of a file while it is written. It begins with a dot, and so is no
// body's, and says whose it is.
func (s *store) tempName() string {
	return fmt.Sprintf(".fetch-%d-%d.part", os.Getpid(), s.made.Add(1))
}

var tempPattern = regexp.MustCompile(`^\.fetch-([0-9]{1,9})-[0-9]+\.part$`)

// sweep removes what runs that were killed have left. What it cannot remove does no harm.
func (s *store) sweep() {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return // writing will say it
	}
	for _, e := range entries {
		if e.Type().IsRegular() && leftover.Is(e.Name(), tempPattern) {
			s.root.Remove(e.Name())
		}
	}
}

// errWrite says that it is the file that failed, and not the answer.
var errWrite = errors.New("cannot write the file")

// existsError says that there is such a file already.
type existsError struct{ name string }

func (e *existsError) Error() string {
	return fmt.Sprintf("there is a file %s already, which is not overwritten", e.name)
}

// free says whether a file may be made, before its body is asked for.
func (s *store) free(name string) error {
	if _, err := s.root.Lstat(name); err == nil {
		return &existsError{name}
	}
	return nil
}

// write copies a body into a file. The file has another name until it is whole: then it
// gets its own, or it is removed.
func (s *store) write(name string, body io.Reader) (n int64, err error) {
	temp := s.tempName()
	f, err := s.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errWrite, err)
	}
	defer func() {
		if rmErr := s.root.Remove(temp); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) && err == nil {
			err = fmt.Errorf("%w: %w", errWrite, rmErr)
		}
	}()
	w := &fileWriter{f: f}
	n, err = io.Copy(w, body)
	if closeErr := f.Close(); closeErr != nil && w.err == nil {
		w.err = closeErr
	}
	switch {
	case w.err != nil:
		return n, fmt.Errorf("%w: %w", errWrite, w.err)
	case err != nil:
		return n, err
	}
	return n, s.name(temp, name)
}

// name gives a file its own name, unless there is a file of that name by now.
func (s *store) name(temp, name string) error {
	err := s.root.Link(temp, name)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = s.claim(temp, name) // not every file system has links
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return &existsError{name}
	case err != nil:
		return fmt.Errorf("%w: %w", errWrite, err)
	}
	return nil
}

// claim is name without links: an empty file takes the place for a moment.
func (s *store) claim(temp, name string) error {
	f, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	f.Close() // nothing was written
	err = s.root.Rename(temp, name)
	if err != nil {
		s.root.Remove(name) // what matters is the error before
	}
	return err
}

// fileWriter notes whether it was the file that failed.
type fileWriter struct {
	f   *os.File
	err error
}

func (w *fileWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.err = err
	return n, err
}
