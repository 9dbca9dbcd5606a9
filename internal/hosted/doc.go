// Package hosted has a server of shared objects, and the carrier that reaches them: queues, locks, semaphores,
// conditions, events, barriers and values live in one process, and any number of clients use them over
// connections. The server hosts the carriers of package inproc, and objects of others: see Callable.
//
// # Model
//
// An object has an ID of 128 random bits. To know it is the right to open it. A client has a Session in the
// server, which knows what the client refers to and what it holds. When the connection ends, the session lets
// go of everything at once: locks go on as abandoned, permits come back, changes of values are dropped, items
// that were got count as done by a dead process, waiters leave, and a barrier that the client waits at breaks.
//
// An object lives as long as something refers to it: a session, a name, an item in a hosted queue, or a lease.
// A lease keeps an object alive while a reference to it travels in a message that the server does not see. It
// begins when the sender encodes the reference, and ends some time after the receiver has opened it, the
// message was given up, or the sender is gone. Objects that refer to each other in a circle live as long as
// the server: nothing looks for them.
//
// The server does not know how values are encoded: an item is bytes and the references within. Only the order
// of a priority queue depends on the encoding, and Config.Less knows it.
//
// # Protocol
//
// One connection carries all calls of a client: frames with a length in front, see frame and hello. A call that
// does not wait is answered by the goroutine that reads; one that waits has a goroutine of its own, until it is
// done, cancelled, or the client is gone. What is written meanwhile is combined: see link.
//
// Both sides send something several times per heartbeat, and give up a peer of which nothing has come for a
// whole one, or that does not take what is written. Nothing connects again: after the end of its connection,
// all that a client has is carrier.ErrLost for good.
//
// # Non-goals
//
// Package hosted listens nowhere and authenticates nobody: it is given connections whose peers are allowed to
// do everything with the objects that they know. It does not limit how much they store. It does not replicate,
// and keeps nothing across its end.
package hosted
