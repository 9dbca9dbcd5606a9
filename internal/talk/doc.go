// Package talk is the conversation between a process and a child that runs
// registered functions for it: as a pool's worker ([StartWorker]) or for one
// call ([StartCall]). Both ends are here; [Serve] is the child's.
//
// # The two ways
//
// A stream socket carries frames: the first word, batches of tasks, requests to
// cancel or to end, and outcomes too big for the other way. A worker has in
// addition a [page] of shared memory, with a claim word for each batch in flight
// and a [ring] of outcomes.
//
// # What a death leaves behind
//
// A worker claims an item by one compare-and-swap on its batch's word, before it
// runs it; the parent takes items back by one on the same word. An outcome is
// committed to the ring by one store, or, in a run of outcomes that travel as memory,
// by the claim of the item after it. Both outlive the worker. So when it is
// killed, at whatever instant, the parent reads from the page what had ended,
// what ran and what had not begun, and there is no instant at which an outcome
// has left the worker but not arrived.
//
// # Who sleeps
//
// The parent's [reader] sleeps on the socket, a worker's executor on a channel. To
// wake either costs tens of microseconds. So an idle worker first looks into the
// page's inbox for a moment, and who has sent a single task first looks into the
// ring, in place of the reader.
package talk
