// Package waitq has the objects that processes share, and how goroutines wait for them.
//
// An [Object] is a region of shared memory with the state of one lock, one queue or one
// value. Goroutines of any process wait for it in one of its wait queues: [Queue]. A [Latch]
// guards an object's state for a moment. A [spin.Spin] decides whether to poll before sleeping.
//
// Everything in an object is untrusted: any process that has it may write anything at any
// time. Words are read once and checked before they are used as an index.
//
// # Memory
//
// An object has a head, the state of its kind, four wait queues, and one row for each slot of
// the process table:
//
//	     0 ┌─────────────────────────────────────────────┐
//	       │ magic, kind, size, number, identity, params │  object.go
//	   128 ├─────────────────────────────────────────────┤
//	       │ state of the kind                           │  internal/shared
//	  1536 ├─────────────────────────────────────────────┤
//	       │ wait-for edges of the owner                 │  waitfor.go
//	  2048 ├─────────────────────────────────────────────┤
//	       │ wait queues 0 to 3: a bit for each slot,    │  queue.go
//	       │ set while a goroutine of the process waits  │
//	  4096 ├─────────────────────────────────────────────┤
//	       │ row of slot 0   waiting since, in queue 0-3 │  32 bytes
//	       │                 words of the kind           │  32 bytes
//	       │                 doorbell: count, asleep     │  2 × 4 bytes
//	  4224 ├─────────────────────────────────────────────┤
//	       │ rows of slots 1 to 4095                     │
//	528384 ├─────────────────────────────────────────────┤
//	       │ payload                                     │
//	       └─────────────────────────────────────────────┘
//
// Pages that were never written take no memory: most objects use two.
//
// # Waiting
//
// Across processes there are only bits and doorbells. A waiter sets its process's bit in the
// queue, and then looks at what it waits for. A waker changes what is waited for, and then
// looks at the bits. So at least one of the two sees the other. The waker clears the bit of
// the process that waits longest, and rings the doorbell that the process has in this object:
// a count, and a futex that is woken only if the process sleeps.
//
// Within a process the parking lot (parking.go) holds the waiting goroutines of all objects.
// One of them, the leader, sleeps in the kernel on all doorbells at once; the others are
// parked in a select. So a waiting goroutine costs no thread, and one that waits alone is
// woken directly. When a doorbell rings, the leader scans the queues and wakes the goroutines
// that have a reason to try again. When the leader itself has a reason, it elects the goroutine
// that parked last, which is likely to stay longest.
//
// # Leader election
//
// The states of a goroutine in [Queue.Wait]:
//
//	                   try fails
//	         ┌─────────┐  there is a leader   ┌──────────────────┐
//	Wait ───►│ RUNNING ├─────────────────────►│ PARKED           │
//	         │ (try)   │◄─────────────────────┤ in a select      │
//	         └─┬───▲─┬─┘  woken, ctx ended    └────────┬─────────┘
//	try       │   │ │                                 │ the leader steps down,
//	succeeds, │   │ │ try fails,                      │ and this one parked last
//	ctx ended │   │ │ no leader                       ▼
//	          ▼   │ │                        ┌──────────────────┐
//	     returns  │ └───────────────────────►│ LEADER           │
//	              └──────────────────────────┤ in a futex wait  │
//	                woken, ctx ended:        └──────────────────┘
//	                electLeader
//
// The states of the parking lot:
//
//	                   a goroutine parks
//	┌───────────┐ ─────────────────────────────► ┌──────────────────┐
//	│ NO LEADER │                                │ A WAITER LEADS   ├─┐ steps down, others
//	│           │ ◄───────────────────────────── │                  │◄┘ are parked
//	└──┬────▲───┘   steps down, none is parked   └──────────────────┘
//	   │    │
//	   │    │ no watcher is left, none is parked ┌──────────────────┐
//	   │    └─────────────────────────────────── │ A BACKGROUND     │
//	   └───────────────────────────────────────► │ GOROUTINE LEADS  │
//	        only watchers wait, and no goroutine └──────────────────┘
//	        has parked for 1 ms
//
// No goroutine is parked while there is no leader. A watcher is a function, [Queue.Watch], and
// cannot lead; hence the background goroutine.
package waitq
