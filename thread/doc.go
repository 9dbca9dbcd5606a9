// Package thread gives goroutines the names, the joins, the queues, the locks and the
// pools that package mp gives processes, with the same types: it is Python's threading,
// queue and multiprocessing.dummy for Go.
//
// A program moves from processes to goroutines, and back, by changing its constructors:
// mp.NewPool and thread.NewPool both make an *mp.Pool, mp.NewQueue and thread.NewQueue an
// *mp.Queue, and so on with locks, events, values and pipes. Nothing has to be registered
// for goroutines, and mp.Main need not be called.
//
// # What is different
//
// Goroutines share memory: what is put into a queue, sent through a pipe or given to a pool
// of goroutines is not copied, and a pointer in it is the same pointer on the other side.
// Between processes everything is a copy. PoolConfig.Encode makes a pool of goroutines copy
// as well, for tests of a program that will run on processes.
//
// A goroutine cannot be killed. A task that ignores its ctx gets its outcome at its deadline
// all the same, but its goroutine runs on, with everything it holds, until its function
// returns. The pool replaces it and counts it in Stats.Stuck. A goroutine that crashes, by a
// fault in cgo for example, ends the program. Processes solve both.
//
// What this package makes belongs to its process: sending it to another one is an error.
package thread
