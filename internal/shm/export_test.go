package shm

// What a Hot is patient by.
const (
	Hottest  = hottest
	HotAgain = hotAgain
)
