package inproc

import "sync"

// spinMutex is a mutex that is held for nanoseconds, so that trying a few times before sleeping is
// worth it. Otherwise a mutex that many goroutines pass through would be handed from sleeper to
// sleeper.
type spinMutex struct {
	mu sync.Mutex
	_  [56]byte // those that try do not slow down the owner, which changes what follows
}

const spinTries = 32

func (l *spinMutex) Lock() {
	for range spinTries {
		if l.mu.TryLock() {
			return
		}
	}
	l.mu.Lock()
}

func (l *spinMutex) Unlock() { l.mu.Unlock() }
