// Package pool is the scheduler: it decides which task goes to which worker,
// and what becomes of a task whose worker dies, hangs or is told to stop.
//
// It is one state machine behind one mutex and knows no transport. It drives
// workers through the interface [Worker], and workers report through
// [Sink]; goroutines, processes and machines are implementations of the two.
// It uses package time directly, so that it can be tested under
// testing/synctest, and does no other I/O.
//
// # Terms
//
// A [Job] is what one call submits: one task for Apply, a million for Map. Its
// tasks are numbered from 0. A [Batch] is what is handed to one worker at once:
// spans of tasks of jobs that call the same function. A worker runs the items of
// its batches strictly in order, one at a time, and claims each before it begins
// it. [Worker.Limit] is the other side of that claim: it takes back whatever was
// not yet begun, at once, whether or not the worker is listening. So a task
// that was sent ahead is never stuck behind a slow one, never run twice, and
// never blamed for a death that it did not see.
//
// # What always holds
//
//   - Every task has exactly one outcome, delivered without the lock.
//   - A task is begun at most once per attempt, except that tasks of a chunk whose
//     results died with their worker are begun again.
//   - Only the item that ran when a worker died is blamed, or one whose input
//     no worker survives: it must not be sent again and again.
//   - No job ends while its inputs are being encoded, except one whose marshaler does not return.
//   - Jobs of equal priority share the workers by the time that their tasks take (fair.go).
//   - No task stays behind one that takes long while a worker is idle (revoke.go, awake.go).
//   - Nothing the scheduler waits for is user code.
package pool
