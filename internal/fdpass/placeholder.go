package fdpass

import "os"

// If a file's owner closes it before it is sent, the message is sent anyway: it may carry many
// tasks. A placeholder replaces the file: the null device, opened with an unusual combination of
// flags. IsPlaceholder recognises it; a receiver that does not check sees an empty file.
const placeholderFlags = os.O_RDONLY | os.O_APPEND | os.O_SYNC

func placeholder() (*os.File, error) { return os.OpenFile(os.DevNull, placeholderFlags, 0) }

// IsPlaceholder reports whether f stands for a file that was closed before it was sent.
func IsPlaceholder(f *os.File) bool {
	if flags, ok := statusFlags(f); !ok || flags&(os.O_WRONLY|os.O_RDWR|placeholderFlags) != placeholderFlags {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
