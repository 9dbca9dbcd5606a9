package shm

import "testing"

func TestThresholdOfCollections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ left, most, want int64 }{
		{0, 1 << 20, minBeforeGC}, {minBeforeGC, 1 << 20, 2 * minBeforeGC}, {5000, 1 << 20, 10_000},
		{0, 64, 33}, {40, 64, 53}, {64, 64, 65}, {100, 64, 101}, {15_000, 20_000, 17_501},
	} {
		if got := nextThreshold(c.left, c.most); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.left, c.most, got, c.want)
		}
	}
}
