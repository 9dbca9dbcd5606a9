//go:build !mpinvariants || !unix

package shm

// Invariants is true in programs built with the tag mpinvariants: objects are checked after
// each operation, and a process can be stopped at any labelled point.
const Invariants = false

// Point is a labelled point between two steps on shared memory.
func Point(string) {}
