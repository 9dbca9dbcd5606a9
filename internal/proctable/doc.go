// Package proctable keeps the process table: which processes of a program share memory with
// each other. For each of them it has the [ID], the pid, the name, and whether it is alive.
//
// Only the main process can write the table; see [shm.NewSingleWriter]. Every child inherits
// its descriptor, and maps it read-only when the child first shares something. The child then
// sends a request for a slot to its parent, which passes it on until it reaches the main
// process; see [Child] and [Enter]. So no process can forge the life or the death of another,
// and a process can be asked about without asking it.
//
// The table is a package of its own, below the wait queues, because it is one idea with one
// writer: who takes part. It knows nothing about waiting. A wait queue sleeps on the table's
// futex word of deaths and registers a function for the deaths that only this process has
// observed; see [OnDeath].
package proctable
