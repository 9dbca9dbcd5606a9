//go:build !race

package spawn

// raceBuild says whether this program was built with the race detector.
const raceBuild = false
