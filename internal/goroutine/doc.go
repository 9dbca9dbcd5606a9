// Package goroutine runs a pool's tasks on goroutines of this process: it is the scheduler's
// Worker without a transport. Nothing is encoded; a job's Client makes the calls.
//
// A worker is the goroutine that the scheduler hands batches over with: it runs them itself,
// so that nothing is ever sent ahead of what runs. What cannot be had is an end by
// force. A worker that is killed while its task runs is abandoned: the scheduler is told
// at once that it has died, and replaces it; the goroutine goes on until the
// task's function returns, and then ends without a word. It has its own memory for
// what it returns, which nobody looks at any more.
package goroutine
