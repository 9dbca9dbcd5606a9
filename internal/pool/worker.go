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
	// Send hands the batch over. It may block and is called by one goroutine at
	// a time. It calls read when it will not look at the inputs any more but as
	// plain memory: what becomes of that then does not matter, unless the item is
	// begun. A failure is told by Sink.Died, not here; after Kill, or the
	// worker's death, it returns soon. Items may have been taken back, all of
	// them even, before it has begun. It returns how many bytes were sent.
	Send(b *Batch, read func()) (size int64)
	// Limit lowers the number of items of b that may be begun to n, or to the
	// number already begun where that is more, and returns what it is now. It
	// goes on working after the worker's death. It is not called any more when
	// all items below the limit have been reported. Of a worker that is not Revocable it is called
	// after its death, when it returns how many were begun or may still be, and before that
	// only for items of which Unsent was told and in the place of a Send that did not return.
	Limit(b *Batch, n int) int
	// Running tells the item that is being run and since when, never earlier than
	// its begin. An item that has ended may be told until it is reported.
	Running() (b *Batch, item int, since time.Time, ok bool)
	// Cancel asks the given item to stop by cancelling its ctx, if it runs. A worker that is not Revocable
	// is also asked of items that wait at it: they are not to be begun, and are reported as failed. It
	// may be asked again.
	Cancel(b *Batch, item int)
	// Stack asks where the running task is. It waits for at most the given time.
	Stack(wait time.Duration) string
	// Memory is what the worker holds now, in bytes; 0 when that is not known.
	Memory() int64
	// Close asks the worker to end when all that was sent to it is done. It is
	// called when that is so.
	Close()
	// Kill ends it at once, or gives it up: see Capabilities.Kills. Either way Died follows soon.
	Kill()
}

// Collector is a Worker whose outcomes may lie about unread: it tells of them after it has
// committed them, and may be stopped in between.
type Collector interface {
	Worker
	// Collect has everything reported that the worker has committed by now. It waits for that
	// at most the given time. With 0 it does not wait, and may be called with the scheduler's
	// lock held.
	Collect(wait time.Duration)
}

// Inline is a Worker that runs what it was sent on the goroutine that has sent it.
type Inline interface {
	Worker
	// Run runs a batch, after Send has returned. Should a task end the goroutine, the
	// rest of the batch is run by another one, which then calls again.
	Run(b *Batch, again func())
}

// Sink is where a worker reports. All calls for one worker but those of Dead and Unsent come
// from one goroutine at a time; Died is the last.
type Sink interface {
	// Started says that an item was begun. Only for batches with Report set, and
	// before the item's Result; one that is left out is made up for.
	Started(b *Batch, item int)
	// Results says how items ended, in the order in which they were sent.
	Results(rs []Result)
	// Unsent says that the items of b from one on were not sent, and are to wait for another batch. alone: the job
	// of the first of them is one as Job.Alone says. It is called by Send, before read.
	Unsent(b *Batch, from int, alone bool)
	// Ended says that the worker is through with a batch, how long its items
	// ran in all, and the time of processors that they took; 0: not measured. It is said
	// once of each batch that was sent, after its last Result, also when all its items were taken back: a worker that does not say
	// it counts as one that does not listen.
	Ended(b *Batch, busy, cpu time.Duration)
	// Output says that something happened to what the worker prints: kind is OutputLost or
	// OutputLate. It may come from any goroutine and at any time.
	Output(kind EventKind, err error)
	// Dead says that the worker is dead, as soon as that is known and from whatever
	// goroutine: what it has reported may still have to be taken, and nobody is to wait
	// meanwhile for code of the program's. It may be left out.
	Dead()
	// Died says that the worker is gone, after everything that it reported. It is
	// said once of each worker, whatever its end.
	Died(d Death)
}

// StartFunc starts worker number n and returns when it is ready for tasks. When
// ctx ends it gives up. After it has returned an error nothing may reach the sink.
type StartFunc func(ctx context.Context, n int, sink Sink) (Worker, error)

// Result is how Count consecutive items of one span of a batch ended. Count is
// more than one only for items that succeeded.
type Result struct {
	Batch   *Batch
	Count   int
	Payload []byte // of success: what the transport has for the job's Deliver; valid during the call,
	Owned   bool   // or for ever: it is nobody else's
	Value   any    // the same, for transports that move no bytes
	// Attached is what else the transport has for Deliver; whoever drops the Result drops it.
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
	Err     error  // says so to the task that ran; nil only when it ended as it was asked to
	Batch   *Batch // the item that ran, nil when none did
	Item    int
	Running bool
	Raced   bool     // the race detector has reported something, which Err tells
	Measure *Measure // what is known of that item; nil: nothing
	Exit    error    // what the worker's own end has failed with, of one that was asked to end
}
