package codec

// SetCountSharingFrom changes the size from which visits are counted.
func SetCountSharingFrom(size int64) (before int64) {
	before, countSharingFrom = countSharingFrom, size
	return before
}

// SetMaxRare changes the limit of rare composite types.
func SetMaxRare(n int) (before int) {
	before, maxRare = maxRare, n
	return before
}

// Rare returns how many rare composite types were decoded, without and with arrays.
func Rare() (others, arrays int) { return dynamicTypes.rare[rareOther], dynamicTypes.rare[rareArray] }
