package main

import "math"

// stat is how the samples of a row become the figure that is judged.
type stat int

const (
	median stat = iota
	p99
	largest
)

// none is the limit of what is only reported.
var none = math.Inf(1)

// row is a line of the table: a figure and what it is to be.
type row struct {
	what      string
	id, part  string
	ingresses int
	unit      string
	stat      stat
	limit     float64
	// atLeast says that the limit is the lower one.
	atLeast bool
}

// bySize are the figures that are measured for a number of Ingresses, with
// their limits; a size that is not named is only reported.
var bySize = []struct {
	row
	limits map[int]float64
}{
	{row{what: "apply → first 200, one new Ingress", id: "apply", unit: "s", stat: median},
		map[int]float64{100: 0.25, 1000: 0.5, 3000: 1.2}},
	{row{what: "of that, outside nginx's own two parses ¹", id: "apply-outside", unit: "s", stat: median},
		map[int]float64{100: 0.1, 1000: 0.15, 3000: 0.25, 10000: 0.5}},
	{row{what: "endpoint change → traffic", id: "endpoint", unit: "s", stat: p99},
		map[int]float64{100: 1.2, 1000: 1.2, 3000: 1.2, 10000: 2}},
	{row{what: "reloads by these endpoint changes", id: "endpoint-reloads", stat: largest},
		map[int]float64{100: 0, 1000: 0, 3000: 0, 10000: 0}},
	{row{what: "configuration of a plain Ingress ²", id: "bytes", unit: "B", stat: median},
		map[int]float64{100: 900, 1000: 900, 3000: 900, 10000: 900}},
	{row{what: "controller, resident memory ³", id: "rss", unit: "MB", stat: median},
		map[int]float64{100: 60, 1000: 100, 3000: 180, 10000: 450}},
	{row{what: "of that, anonymous", id: "rss-anon", unit: "MB", stat: median}, nil},
	{row{what: "nginx, master and two workers together ⁴", id: "nginx-pss", unit: "MB", stat: median}, nil},
	{row{what: "start of both → ready", id: "start-ready", unit: "s", stat: median}, nil},
	{row{what: "start of both → every host served ⁵", id: "start", unit: "s", stat: median},
		map[int]float64{100: 2, 1000: 4, 3000: 10}},
	{row{what: "answers other than 200 after ready", id: "start-wrong", stat: largest},
		map[int]float64{100: 0, 1000: 0, 3000: 0, 10000: 0}},
	{row{what: "start of both → status of all Ingresses written", id: "status", unit: "s", stat: median},
		map[int]float64{1000: 5, 3000: 15}},
	{row{what: "300 changes in 10 s: the last one live after the end", id: "burst", unit: "s", stat: median}, nil},
	{row{what: "of that, outside the reload that brings it ⁶", id: "burst-outside", unit: "s", stat: largest},
		map[int]float64{100: 1, 1000: 1, 3000: 1}},
	{row{what: "reloads by these changes", id: "burst-reloads", stat: largest},
		map[int]float64{100: 12, 1000: 12, 3000: 12}},
}

// others are the figures that are measured once.
var others = []row{
	{what: "throughput, http ⁷", id: "throughput-ratio", part: "http", stat: median, limit: 0.97, atLeast: true},
	{what: "throughput, https", id: "throughput-ratio", part: "https", stat: median, limit: 0.97, atLeast: true},
	{what: "p99 of the latency, http", id: "latency-ratio", part: "http", stat: median, limit: 1.05},
	{what: "p99 of the latency, https", id: "latency-ratio", part: "https", stat: median, limit: 1.05},
	{what: "CPU time a request, http", id: "cpu-ratio", part: "http", stat: median, limit: 1.03},
	{what: "CPU time a request, https", id: "cpu-ratio", part: "https", stat: median, limit: 1.03},
	{what: "100 rolling replacements: failed requests ⁸", id: "rollout-failed", stat: largest, limit: 0},
	{what: "100 rolling replacements: reloads", id: "rollout-reloads", stat: largest, limit: 0},
}
