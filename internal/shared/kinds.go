package shared

// The kinds of objects, as their memory says it.
const (
	kindLock = iota + 1
	kindEvent
	kindSemaphore
	kindCondition
	kindBarrier
	kindQueue
	kindValue
	kindCounter
)
