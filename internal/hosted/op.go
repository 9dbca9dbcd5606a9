package hosted

// op says what a frame is.
type op byte

// What a server sends.
const (
	opReply  op = iota + 1 // of a call that went well
	opError                // of one that did not: see appendError
	opNotify               // a watched object may have changed: id is that of the watch
	opAct                  // the caller of Barrier.Wait with that id is to run the action
	opPong
)

// What concerns the connection, or objects in general.
const (
	opPing    op = iota + 16
	opCancel     // the call with that id is to end
	opActed      // the action of the call with that id has ended; flagOK: without an error
	opCreate     // n: kind; m, data: see Session.Create; the reply is that of opOpen
	opOpen       // data: ID; n: lease, or 0; the reply: handle, n: kind, m: see number, data: ID
	opLookup     // m: length of the name that data begins with, arguments follow; the reply is that of opOpen
	opClose      // n: how many opens are taken back
	opShare      // the reply: n: lease
	opUnshare    // n: lease
	opWatch      // of a queue or event; m: id of the watch; opNotify follows
	opUnwatch    // n: id of the watch
	opInvoke     // of a Callable; m: length of the method's name that data begins with, arguments follow
)

// What is asked of locks, semaphores, conditions, events, barriers and values.
const (
	opAcquire    op = iota + 48 // the reply: n: token; flagOK: abandoned
	opTryAcquire                // the reply: n: token, 0 if not acquired; flagOK: abandoned
	opRelease                   // n: token; of a semaphore: permits without a token
	opReturn                    // n: token
	opHolds                     // n: token
	opOwner                     // the reply: n: pid; flagOK: there is one
	opAvailable                 // the reply: n
	opWait                      // of a condition: n: token, and the reply is that of opAcquire; of a barrier: m: 1 if there is an action
	opSignal                    // n: token; m: how many waiters are woken
	opSet
	opClear
	opIsSet
	opAbort
	opReset
	opWaiting
	opBroken
	opLoad   // the reply: data: words, little-endian
	opBegin  // the reply: n: token; data: words
	opCommit // n: token; data: words
	opRevert // n: token
)

// What is asked of queues.
const (
	opPut op = iota + 96
	opTryPut
	opGet
	opTryGet
	opLen
	opFull
	opClosed
	opUnfinished
	opTaskDone
	opJoin
	opShutdown
	opCloseNow
	opReadable
)
