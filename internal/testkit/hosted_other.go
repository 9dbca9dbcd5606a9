//go:build !linux

package testkit

func serverQueues() []QueueKind { return nil }
