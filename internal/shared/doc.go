// Package shared is the objects that processes share, as bytes see them: locks, events,
// queues, values. Each is a [waitq.Object]: its state is words of shared memory that
// are whole after every single store, so that a process which is killed between any two
// instructions leaves nothing that has to be repaired.
//
// What belongs to a process is marked with its [proctable.ID], never with a pid. A dead
// process's part is settled by whoever comes upon it.
//
// Every method that can block takes a ctx and returns its error when it ends; then it
// has had no effect. All methods may be called by any number of goroutines.
package shared
