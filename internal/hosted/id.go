package hosted

import (
	"crypto/rand"
	"encoding/hex"
)

// ID names an object, or a server. Whoever knows the ID of an object may open it.
type ID [16]byte

func newID() (id ID) {
	rand.Read(id[:]) // which never fails
	return id
}

// String is for messages to people. It does not give away the ID.
func (id ID) String() string { return hex.EncodeToString(id[:4]) + "..." }

// Kind says what an object is.
type Kind byte

// The kinds of objects.
const (
	KindLock Kind = iota + 1
	KindRLock
	KindSemaphore
	KindCondition
	KindEvent
	KindBarrier
	KindValue
	KindQueue
	KindCallable // an object with methods of its own
)

func (k Kind) String() string {
	names := [...]string{"nothing", "a Lock", "an RLock", "a Semaphore", "a Condition", "an Event", "a Barrier", "a Value", "a Queue", "an object"}
	if int(k) < len(names) {
		return names[k]
	}
	return "an unknown kind of object"
}

// Order is the order in which a queue gives its items.
type Order byte

// The orders of queues.
const (
	FirstInFirstOut Order = iota
	LastInFirstOut
	SmallestFirst // by Config.Less
)

// Message is an encoded value: its bytes, and the hosted objects that it refers to.
type Message struct {
	Data []byte
	Refs []Ref
}

// Ref is a reference to a hosted object inside a message. The lease keeps the object alive until the
// receiver has opened it; 0 if there is no lease.
type Ref struct {
	ID    ID
	Lease uint64
}
