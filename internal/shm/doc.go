// Package shm maps memory that several processes share, and has the words, futexes and clocks
// that they use in it.
//
// A [Region] is anonymous: it has a descriptor, which a child inherits, and no name, so nothing
// is left when the last process that has it ends. On Linux it is a memfd that is sealed against
// shrinking and growing, so that no process can pull the memory from under another; elsewhere
// it is an unlinked file. A [Block] is memory for the program itself, which may have a name.
//
// Everything in a region is untrusted: another process may write anything at any time. Code
// that uses a word as an offset or an index must read it once and check it.
//
// Only this package and internal/codec's unsafe.go import package unsafe. The process table
// (internal/proctable) and the wait queues (internal/waitq) build on it.
package shm
