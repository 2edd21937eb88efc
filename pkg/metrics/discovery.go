package metrics

import "github.com/prometheus/client_golang/prometheus"

// Questions are those that nginx has put to discovery, by what was answered:
// addresses, no address, and SERVFAIL.
type Questions struct{ Answered, Empty, Refused uint64 }

// questions collects them at each scrape.
type questions struct {
	source func() Questions
	total  *prometheus.Desc
}

func newQuestions(source func() Questions) *questions {
	return &questions{source, prometheus.NewDesc("sidegate_discovery_questions_total", "Questions of nginx for endpoints by the answer.", []string{"result"}, nil)}
}

// Describe implements prometheus.Collector.
func (q *questions) Describe(out chan<- *prometheus.Desc) { out <- q.total }

// Collect implements prometheus.Collector.
func (q *questions) Collect(out chan<- prometheus.Metric) {
	n := q.source()
	for result, count := range map[string]uint64{"answered": n.Answered, "empty": n.Empty, "refused": n.Refused} {
		out <- prometheus.MustNewConstMetric(q.total, prometheus.CounterValue, float64(count), result)
	}
}
