package wire

// SetWatchFrom changes the size from which a message is watched.
func SetWatchFrom(size int64) (before int64) {
	before, watchFrom = watchFrom, size
	return before
}

// SetMaxRare changes the limit of rare composite types.
func SetMaxRare(n int) (before int) {
	before, maxRare = maxRare, n
	return before
}

// Rare returns how many rare composite types were decoded, without and with arrays.
func Rare() (others, arrays int) { return composed.rare[rareSort], composed.rare[arraySort] }
