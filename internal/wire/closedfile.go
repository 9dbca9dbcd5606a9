package wire

import "os"

// A file that its owner closes after its message was made cannot be sent, but the message is:
// it may be that of many tasks. In place of the file goes a sign that says so to the receiver,
// which is an empty file for who does not look: the null device, opened as nobody opens it.
const placeholderFlags = os.O_RDONLY | os.O_APPEND | os.O_SYNC

func closedPlaceholder() (*os.File, error) { return os.OpenFile(os.DevNull, placeholderFlags, 0) }

func isClosedPlaceholder(f *os.File) bool {
	if flags, ok := statusFlags(f); !ok || flags&(os.O_WRONLY|os.O_RDWR|placeholderFlags) != placeholderFlags {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
