//go:build race

package testkit

// Race reports whether the race detector is at work.
const Race = true
