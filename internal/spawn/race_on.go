//go:build race

package spawn

// raceBuild reports whether this program was built with the race detector.
const raceBuild = true
