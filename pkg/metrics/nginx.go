package metrics

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/nginx"
)

// Nginx is the running nginx, which is asked at each scrape.
type Nginx interface {
	Connections(context.Context) (nginx.Connections, error)
	ProcessStats() (nginx.ProcessStats, error)
	Workers() ([]nginx.Worker, error)
}

// process collects what ingress-nginx's metrics of these names told.
type process struct {
	nginx       Nginx
	connections *prometheus.Desc
	states      *prometheus.Desc
	requests    *prometheus.Desc
	draining    *prometheus.Desc
	oldest      *prometheus.Desc
	stats       []processStat
}

type processStat struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(nginx.ProcessStats) float64
}

func newProcess(source Nginx, common prometheus.Labels) *process {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(ingressNginx+"nginx_process_"+name, help, labels, common)
	}
	return &process{
		nginx:       source,
		connections: desc("connections_total", "Connections of clients since nginx started.", "state"),
		states:      desc("connections", "Connections of clients by what they do.", "state"),
		requests:    desc("requests_total", "Requests since nginx started."),
		draining:    prometheus.NewDesc("sidegate_draining_workers", "Workers of older generations that end their requests.", nil, nil),
		oldest:      prometheus.NewDesc("sidegate_draining_worker_oldest_seconds", "For how long the oldest of them has been draining.", nil, nil),
		stats: []processStat{
			{desc("num_procs", "Processes of nginx: the master, its workers, and those that drain."), prometheus.GaugeValue,
				func(s nginx.ProcessStats) float64 { return float64(s.Count) }},
			{desc("cpu_seconds_total", "CPU time of nginx's processes."), prometheus.CounterValue,
				func(s nginx.ProcessStats) float64 { return s.CPUSeconds }},
			{desc("read_bytes_total", "What nginx's processes have read from disks."), prometheus.CounterValue,
				func(s nginx.ProcessStats) float64 { return float64(s.ReadBytes) }},
			{desc("write_bytes_total", "What nginx's processes have written to disks."), prometheus.CounterValue,
				func(s nginx.ProcessStats) float64 { return float64(s.WriteBytes) }},
			{desc("resident_memory_bytes", "Resident memory of nginx's processes; what they share counts for each."), prometheus.GaugeValue,
				func(s nginx.ProcessStats) float64 { return float64(s.ResidentBytes) }},
			{desc("virtual_memory_bytes", "Virtual memory of nginx's processes."), prometheus.GaugeValue,
				func(s nginx.ProcessStats) float64 { return float64(s.VirtualBytes) }},
			{desc("oldest_start_time_seconds", "When the oldest of nginx's processes started, in seconds since 1970."), prometheus.GaugeValue,
				func(s nginx.ProcessStats) float64 { return s.OldestStart }},
		},
	}
}

// Describe implements prometheus.Collector.
func (p *process) Describe(out chan<- *prometheus.Desc) {
	out <- p.connections
	out <- p.states
	out <- p.requests
	out <- p.draining
	out <- p.oldest
	for _, s := range p.stats {
		out <- s.desc
	}
}

// Collect implements prometheus.Collector. Of an nginx that does not run there
// is nothing to tell.
func (p *process) Collect(out chan<- prometheus.Metric) {
	if c, err := p.nginx.Connections(context.Background()); err == nil {
		tell := func(desc *prometheus.Desc, kind prometheus.ValueType, n uint64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, kind, float64(n), labels...)
		}
		tell(p.connections, prometheus.CounterValue, c.Accepted, "accepted")
		tell(p.connections, prometheus.CounterValue, c.Handled, "handled")
		tell(p.requests, prometheus.CounterValue, c.Requests)
		tell(p.states, prometheus.GaugeValue, c.Active, "active")
		tell(p.states, prometheus.GaugeValue, c.Reading, "reading")
		tell(p.states, prometheus.GaugeValue, c.Writing, "writing")
		tell(p.states, prometheus.GaugeValue, c.Waiting, "waiting")
	}
	if workers, err := p.nginx.Workers(); err == nil {
		n, oldest := drain(workers, time.Now())
		out <- prometheus.MustNewConstMetric(p.draining, prometheus.GaugeValue, float64(n))
		out <- prometheus.MustNewConstMetric(p.oldest, prometheus.GaugeValue, oldest.Seconds())
	}
	if s, err := p.nginx.ProcessStats(); err == nil {
		for _, stat := range p.stats {
			out <- prometheus.MustNewConstMetric(stat.desc, stat.kind, stat.of(s))
		}
	}
}

// drain is how many workers drain, and for how long the oldest of them does.
func drain(workers []nginx.Worker, now time.Time) (n int, oldest time.Duration) {
	for _, w := range workers {
		if w.Draining {
			n++
			oldest = max(oldest, now.Sub(w.DrainingSince))
		}
	}
	return n, oldest
}

// The roles of an nginx: one tests what the other runs, and in a pod they are
// in containers of their own.
const (
	Tests = "tests"
	Runs  = "runs"
)

// versions collects the version of each role. A version is a label, so a gauge
// for the old one would have to go before the new one comes.
type versions struct {
	desc *prometheus.Desc
	mu   sync.Mutex
	of   map[string]string
}

func newVersions() *versions {
	return &versions{
		desc: prometheus.NewDesc("sidegate_nginx_info", "The version of the nginx that tests configurations, and of the one that runs.", []string{"role", "version"}, nil),
		of:   map[string]string{},
	}
}

func (v *versions) set(role string, version nginx.Version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.of[role] = version.String()
}

// Describe implements prometheus.Collector.
func (v *versions) Describe(out chan<- *prometheus.Desc) { out <- v.desc }

// Collect implements prometheus.Collector.
func (v *versions) Collect(out chan<- prometheus.Metric) {
	v.mu.Lock()
	of := maps.Clone(v.of)
	v.mu.Unlock()
	for role, version := range of {
		out <- prometheus.MustNewConstMetric(v.desc, prometheus.GaugeValue, 1, role, version)
	}
}
