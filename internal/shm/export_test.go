//go:build unix

package shm

var RetryMapping = retryMapping
