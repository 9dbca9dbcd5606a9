package pool

import (
	"context"
	"time"
)

// Worker is one executor of tasks. It runs the items of the batches it is sent
// in order, one at a time.
//
// All methods but Send and Stack return at once and do not call the Sink: the
// scheduler calls them with its lock held. Any of them may be called while Send
// is under way, and after the worker's death.
type Worker interface {
	// PID is the operating system's number of the process, for messages.
	PID() int
	// Capabilities is asked once, when the worker is ready.
	Capabilities() Capabilities
	// Open makes the batch known, with a limit of b.Items(), before it is sent.
	Open(b *Batch)
	// Send sends the batch. It may block, and is called by one goroutine at
	// a time. It calls encoded as soon as it does not need the inputs any more, except as
	// plain memory whose content does not matter unless the item is
	// begun. Sink.Died reports a failure, not Send; after Kill, or the
	// worker's death, Send returns soon. Items, even all of them, may have been taken back
	// before it begins. It returns how many bytes were sent.
	Send(b *Batch, encoded func()) (size int64)
	// Limit lowers the number of items of b that may be begun to n, or to the
	// number already begun if that is more, and returns the new number. It
	// works after the worker's death, too. It is not called any more when
	// all items below the limit have been reported. For a worker that is not Revocable it is called only
	// after the worker's death, when it returns how many were begun or may still be begun, for items
	// after Unsent, and for a Send that did not return.
	Limit(b *Batch, n int) int
	// Running returns the item that is being run and since when, never a time before
	// its begin. It may return an item that has ended until that is reported.
	Running() (b *Batch, item int, since time.Time, ok bool)
	// Cancel asks the given item to stop by cancelling its ctx, if it runs. For a worker that is not Revocable
	// it is also called for items that wait there: they are not begun, and reported as failed. It
	// may be called again for the same item.
	Cancel(b *Batch, item int)
	// Stack returns the stack of the running task. It waits for at most the given time.
	Stack(wait time.Duration) string
	// Memory returns the memory of the worker in bytes; 0 if it is not known.
	Memory() int64
	// Close asks the worker to end. It is called when all that was sent to it is done.
	Close()
	// Kill ends the worker at once, or gives it up: see Capabilities.Kills. Died follows soon.
	Kill()
}

// Collector is a Worker that reports outcomes some time after it has committed them, and may be
// stopped in between.
type Collector interface {
	Worker
	// Collect reports everything that the worker has committed by now. It waits for that
	// at most the given time. With 0 it does not wait, and may be called with the scheduler's
	// lock held.
	Collect(wait time.Duration)
}

// Inline is a Worker that runs its batches on the goroutine that sends them.
type Inline interface {
	Worker
	// Run runs a batch, after Send has returned. If a task ends the goroutine, another
	// one runs the rest of the batch and then calls again.
	Run(b *Batch, again func())
}

// Sink is where a worker reports. All calls for one worker but those of Dead and Unsent come
// from one goroutine at a time; Died is the last.
type Sink interface {
	// Started reports that an item was begun. It is called only for batches with Report set, and
	// before the item's Result. A call that is missing is made up for.
	Started(b *Batch, item int)
	// Results reports how items ended, in the order in which they were sent.
	Results(rs []Result)
	// Unsent reports that the items of b from one on were not sent, and wait for another batch. moves: the job
	// of the first of them has inputs that move: see Job.Moves. It is called by Send, before encoded.
	Unsent(b *Batch, from int, moves bool)
	// Ended reports that the worker has finished a batch, how long its items
	// ran in all, and the processor time that they took; 0: not measured. It is called
	// once for each batch that was sent, after its last Result, also if all its items were taken back. Until
	// then the worker counts as unresponsive.
	Ended(b *Batch, busy, cpu time.Duration)
	// Output reports what happened to what the worker prints: kind is OutputLost or
	// OutputLate. It may be called by any goroutine at any time.
	Output(kind EventKind, err error)
	// Dead reports that the worker is dead, as soon as that is known and from any
	// goroutine: its last results may still have to be read, and must not wait
	// for code of the program meanwhile. It may be left out.
	Dead()
	// Died reports the worker's end, after everything else. It is
	// called once for each worker, however it ended.
	Died(d Death)
}

// StartFunc starts worker number n and returns when it is ready for tasks. When
// ctx ends it gives up. After an error nothing may reach the sink.
type StartFunc func(ctx context.Context, n int, sink Sink) (Worker, error)

// Result is how Count consecutive items of one span of a batch ended. Count is
// more than one only for items that succeeded.
type Result struct {
	Batch   *Batch
	Count   int
	Payload []byte // of success: the output, for the job's Deliver; valid during the call,
	Owned   bool   // or also afterwards
	Value   any    // the same, for transports that move no bytes
	// Attached is what came with the output. It is dropped with the Result.
	Attached Attached
	Err      error // of failure
	Final    bool  // of failure: not to be retried
	Measure  *Measure
}

// Measure is what was measured while one item ran.
type Measure struct {
	Wall, CPU      time.Duration
	MaxMemory      int64
	Stdout, Stderr []byte
}

// Death is how a worker ended.
type Death struct {
	Err     error  // for the task that ran; nil only if the worker ended as it was asked to
	Batch   *Batch // the item that ran, nil when none did
	Item    int
	Running bool
	Raced   bool     // the race detector has reported something, which is in Err
	Measure *Measure // what is known of that item; nil: nothing
	Exit    error    // the error of Exit in a worker that was asked to end
}
