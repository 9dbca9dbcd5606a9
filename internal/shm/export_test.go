package shm

// What a Hot is patient by.
const (
	Hottest  = maxSpinScore
	HotAgain = spinRetry
)
