package main

import (
	"context"
	"testing"
)

func TestMeasurements(t *testing.T) {
	for name, measure := range measurements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rate, err := measure(context.Background(), 128); err != nil || rate <= 0 {
				t.Errorf("%v a second, %v", rate, err)
			}
		})
	}
}
