package main

import (
	"math"
	"slices"
)

// percentile is the smallest sample that p percent of all do not exceed (the
// nearest rank), so it is always one that was measured. Of twenty samples the
// 99th percentile is the largest.
func percentile(samples []float64, p float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
