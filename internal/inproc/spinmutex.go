package inproc

import "sync"

// spinMutex is a mutex that is held for nanoseconds, so that trying a few times before sleeping is
// worth it. Otherwise a mutex that many goroutines pass through would be handed from sleeper to
// sleeper.
type spinMutex struct {
	mu sync.Mutex
	_  [56]byte // who looks does not disturb who has it and changes what lies behind
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
