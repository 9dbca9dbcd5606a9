// Package proto is what a process and its child agree on: the frames on their socket, the page
// of memory that a worker shares with its parent, and the format of batches and outcomes. Package
// host is the parent's side, package child the worker's.
//
// # The two ways
//
// A stream socket carries frames: the first message, batches of tasks, requests to cancel or to
// end, and outcomes too big for the other way. A worker has in addition a [Page] of shared
// memory, with a claim word for each batch in flight and a ring of outcomes.
//
// # What a death leaves behind
//
// A worker claims an item by a compare-and-swap on the claim word of its batch before it runs it.
// The parent takes items back by one on the same word. An outcome is committed to the ring by one
// store or, in a run of outcomes that travel as memory, by the claim of the next item. Both
// outlive the worker. So when it is killed, at whatever instant, the parent reads from the page
// what had ended, what ran and what had not begun. At no instant has an outcome left the worker
// without having arrived.
//
// # Sleeping and polling
//
// The parent's reader sleeps on the socket, a worker's executor on a channel. To wake either
// costs tens of microseconds. So an idle worker first polls the page's inbox for a moment, and
// the sender of a single task first polls the ring, in place of the reader.
package proto
