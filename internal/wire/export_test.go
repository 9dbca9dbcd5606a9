package wire

// SetWatchFrom changes the size from which a message is watched.
func SetWatchFrom(size int64) (before int64) {
	before, watchFrom = watchFrom, size
	return before
}
