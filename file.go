package mp

import (
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// An *os.File is no object of this package, but it is shareable as they are: the other process
// gets an *os.File of its own for the same open file, as by Python's multiprocessing.reduction.
// Register says what that means for those who send one.
func init() {
	codec.Refuse(reflect.TypeFor[os.File](), "an os.File must not be copied: use an *os.File")
	codec.Hook(reflect.TypeFor[*os.File](), encodeFile, decodeFile)
}

func encodeFile(b *codec.Buffer, v reflect.Value) error {
	f := v.Interface().(*os.File)
	if f == nil {
		b.Byte(0)
		return nil
	}
	if *f == (os.File{}) {
		return errors.New("an os.File that was not opened")
	}
	// Not Fd, which would take the file, and whoever else has it, out of non-blocking mode.
	raw, err := f.SyscallConn()
	if err != nil || raw.Control(func(uintptr) {}) != nil {
		return fmt.Errorf("the file %q was closed before it was sent: %w", f.Name(), os.ErrClosed)
	}
	b.Byte(1)
	b.String(f.Name())
	b.Attach(codec.Attachment{File: f})
	return nil
}

func decodeFile(r *codec.Reader, v reflect.Value) error {
	switch r.Byte() {
	case 0:
		v.SetZero()
		return r.Err()
	case 1:
		name := r.String()
		if err := r.Err(); err != nil {
			return err
		}
		f, err := r.TakeFileAs(name)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(f))
		return nil
	}
	if err := r.Err(); err != nil {
		return err
	}
	return errors.New("neither nil nor a file")
}
