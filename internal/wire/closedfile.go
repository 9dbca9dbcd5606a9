package wire

import "os"

// If a file's owner closes it after the message was encoded, the file cannot be sent, but the
// message still is: it may carry many tasks. A placeholder takes the file's place: the null
// device, opened with an unusual combination of flags. TakeFileAs recognises it; other receivers
// see an empty file.
const placeholderFlags = os.O_RDONLY | os.O_APPEND | os.O_SYNC

func closedPlaceholder() (*os.File, error) { return os.OpenFile(os.DevNull, placeholderFlags, 0) }

func isClosedPlaceholder(f *os.File) bool {
	if flags, ok := statusFlags(f); !ok || flags&(os.O_WRONLY|os.O_RDWR|placeholderFlags) != placeholderFlags {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
