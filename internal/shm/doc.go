// Package shm maps memory that several processes share.
//
// A [Region] is anonymous: it has a descriptor, which a child inherits, and no
// name, so nothing is left when the last process that has it is gone. On Linux it
// is a memfd that is sealed against shrinking and growing, so that no process can
// pull the memory from under another; elsewhere it is an unlinked file.
//
// On regions stand the [Object]s that processes share. A process that has one is a
// member of its program's roster: that tells who it is ([ID]), whether it lives, and
// where to ring for it. Goroutines wait in a [Line], of which there are some in each
// object; a [Latch] guards an object's inside for a moment.
//
// Everything in a region is untrusted: the other side may write anything at any
// time. Words are read once and checked before they are used as an offset.
//
// Only this package and internal/wire's unsafe.go use package unsafe.
package shm
