package main

import (
	"math"
	"testing"
)

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[99-i] = float64(i + 1) // not sorted
	}
	for _, c := range []struct {
		samples []float64
		p, want float64
	}{
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred, 100, 100},
		{[]float64{3, 1, 2}, 50, 2}, {[]float64{3, 1, 2}, 99, 3}, {[]float64{7}, 50, 7},
	} {
		if got := percentile(c.samples, c.p); got != c.want {
			t.Errorf("percentile %v of %v: got %v, want %v", c.p, c.samples, got, c.want)
		}
	}
	if got := percentile(nil, 50); !math.IsNaN(got) {
		t.Errorf("percentile of nothing: got %v, want NaN", got)
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		row     row
		samples []float64
		want    string
	}{
		{row{stat: median, limit: 0.25}, []float64{0.1, 0.2, 0.9}, "met"},
		{row{stat: p99, limit: 0.25}, []float64{0.1, 0.2, 0.5}, "**missed by 100 %**"},
		{row{stat: median, limit: 0.97, atLeast: true}, []float64{0.96}, "**missed by 1.0 %**"},
		{row{stat: median, limit: 0.97, atLeast: true}, []float64{0.99}, "met"},
		{row{stat: largest, limit: 0}, []float64{0, 2}, "**missed: 2**"},
		{row{stat: median, limit: none}, []float64{5}, "reported"},
	} {
		if got := c.row.verdict(c.samples); got != c.want {
			t.Errorf("%+v of %v: got %q, want %q", c.row, c.samples, got, c.want)
		}
	}
}
