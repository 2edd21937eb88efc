package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/nginx"
)

// Nginx is the running nginx, which is asked at each scrape.
type Nginx interface {
	Connections(context.Context) (nginx.Connections, error)
	ProcessStats() (nginx.ProcessStats, error)
}

// process collects what ingress-nginx's metrics of these names told.
type process struct {
	nginx       Nginx
	connections *prometheus.Desc
	states      *prometheus.Desc
	requests    *prometheus.Desc
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
	if s, err := p.nginx.ProcessStats(); err == nil {
		for _, stat := range p.stats {
			out <- prometheus.MustNewConstMetric(stat.desc, stat.kind, stat.of(s))
		}
	}
}
