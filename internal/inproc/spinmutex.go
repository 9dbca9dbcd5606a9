package inproc

import "sync"

// briefLock is a lock that is held for some nanoseconds only, so that it is worth to look a
// few times before one sleeps: what many goroutines pass through would else be handed from
// sleeper to sleeper.
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
