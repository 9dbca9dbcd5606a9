package waitq

// The limits of a Spin.
const (
	MaxSpinScore = maxSpinScore
	SpinRetry    = spinRetry
)
