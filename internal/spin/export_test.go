package spin

const (
	MaxScore = maxScore
	Retry    = retry
)
