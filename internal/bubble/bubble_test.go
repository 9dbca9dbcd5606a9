package bubble_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/bubble"
)

func TestOutsideOfBubbles(t *testing.T) {
	t.Parallel()
	if bubble.Inside() || bubble.Number() != 0 {
		t.Error("a test is taken for a bubble")
	}
}

// However long a bubble lasts by its own clock, it is known.
func TestInsideABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 3 {
			if !bubble.Inside() {
				t.Error("a bubble is not noticed at", time.Now())
			}
			time.Sleep(30 * 365 * 24 * time.Hour)
		}
	})
}

// The goroutines of a bubble have its number, and those of another bubble have another.
func TestNumbersOfBubbles(t *testing.T) {
	t.Parallel()
	var numbers [2]int
	for i := range numbers {
		synctest.Test(t, func(t *testing.T) {
			numbers[i] = bubble.Number()
			same := make(chan int)
			go func() { same <- bubble.Number() }()
			if n := <-same; n != numbers[i] {
				t.Errorf("goroutines of one bubble have the numbers %d and %d", n, numbers[i])
			}
		})
	}
	if numbers[0] <= 0 || numbers[1] <= 0 || numbers[0] == numbers[1] {
		t.Errorf("two bubbles have the numbers %d", numbers)
	}
}
