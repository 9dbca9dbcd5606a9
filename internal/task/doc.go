// Package task is what the two ways to run a pool's tasks in Go have in common, in a
// worker process and on a goroutine: the ctx of a task, the claim of the next item
// of a batch, and the stack of the goroutine that runs one.
package task
