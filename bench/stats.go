package main

import (
	"fmt"
	"math"
	"slices"
)

// median is the middle of some numbers, NaN of none.
func median(v []float64) float64 {
	n := len(v)
	if n == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(n-1)/2] + s[n/2]) / 2
}

// figure is one figure over the rounds.
type figure struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Rounds []float64 `json:"rounds"`
}

// over collects one figure of each round; nil when there was no round.
func over(rounds []figures, name string) (*figure, error) {
	if len(rounds) == 0 {
		return nil, nil
	}
	f := new(figure)
	for _, r := range rounds {
		v, ok := r[name]
		if !ok || !(v > 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("figure %q is missing or not positive: %v", name, r)
		}
		f.Rounds = append(f.Rounds, v)
	}
	f.Median, f.Min, f.Max = median(f.Rounds), slices.Min(f.Rounds), slices.Max(f.Rounds)
	return f, nil
}

// faster is how many times faster ours is than theirs.
func faster(u unit, ours, theirs float64) float64 {
	if u == seconds {
		return theirs / ours
	}
	return ours / theirs
}
