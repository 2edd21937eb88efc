package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
)

// Identity are the labels that all metrics of ingress-nginx have.
type Identity struct {
	Class, Namespace, Pod string
}

// Metrics are the metrics of the pipeline.
type Metrics struct {
	configHash  prometheus.Gauge
	successful  prometheus.Gauge
	successTime prometheus.Gauge
	success     prometheus.Counter
	errors      prometheus.Counter
	leader      *prometheus.GaugeVec

	reloads   *prometheus.CounterVec
	failures  *prometheus.CounterVec
	steps     *prometheus.HistogramVec
	findings  *prometheus.GaugeVec
	zones     *prometheus.GaugeVec
	endpoints prometheus.Gauge
	draining  prometheus.Gauge
	templates prometheus.Gauge
	nginx     *prometheus.GaugeVec
}

// New registers the metrics.
func New(registry prometheus.Registerer, id Identity, version string) *Metrics {
	const old = "nginx_ingress_controller_"
	common := prometheus.Labels{"controller_class": id.Class, "controller_namespace": id.Namespace, "controller_pod": id.Pod}
	gauge := func(name, help string, labels prometheus.Labels) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels})
		registry.MustRegister(g)
		return g
	}
	counter := func(name, help string, labels prometheus.Labels) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels})
		registry.MustRegister(c)
		return c
	}
	gauges := func(name, help string, constant prometheus.Labels, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: constant}, labels)
		registry.MustRegister(g)
		return g
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(c)
		return c
	}
	m := &Metrics{
		configHash:  gauge(old+"config_hash", "Hash of the configuration that nginx serves.", common),
		successful:  gauge(old+"config_last_reload_successful", "Whether nginx serves the last configuration that it was told of.", common),
		successTime: gauge(old+"config_last_reload_successful_timestamp_seconds", "When nginx was last confirmed to serve a new configuration.", common),
		success:     counter(old+"success", "Reloads that were confirmed.", common),
		errors:      counter(old+"errors", "Reloads that were refused or not confirmed.", common),
		leader:      gauges(old+"leader_election_status", "Whether this pod writes the status of Ingresses.", common, "name"),
		reloads:     counters("sidegate_reloads_total", "Reloads by what came of them.", "outcome"),
		failures:    counters("sidegate_failures_total", "Failures of the pipeline by its step.", "step"),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sidegate_step_duration_seconds", Help: "How long the steps of the pipeline take.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}, []string{"step"}),
		findings:  gauges("sidegate_findings", "Findings by severity and reason.", nil, "severity", "reason"),
		zones:     gauges("sidegate_upstream_zones", "Upstreams by the size of their zone.", nil, "size"),
		endpoints: gauge("sidegate_endpoints", "Endpoints that nginx is told of.", nil),
		draining:  gauge("sidegate_draining_workers", "Workers of older generations that end their requests.", nil),
		templates: gauge("sidegate_templates_last_load_successful", "Whether the custom templates that are on disk are in use.", nil),
		nginx:     gauges("sidegate_nginx_info", "The version of the nginx that tests configurations.", nil, "version"),
	}
	registry.MustRegister(m.steps)
	gauges(old+"build_info", "The version of the controller.", common, "release", "build", "repository").
		WithLabelValues(version, "", "github.com/sidegate/sidegate").Set(1)
	m.templates.Set(1)
	return m
}

// Steps records how long steps took.
func (m *Metrics) Steps(steps []nginx.Step) {
	for _, s := range steps {
		m.steps.WithLabelValues(s.Name).Observe(s.Duration.Seconds())
	}
}

// Served records that nginx serves the generation.
func (m *Metrics) Served(id string, outcome nginx.Outcome, at time.Time) {
	// The gauge is a number, so it is the first digits of the id.
	if n, err := strconv.ParseUint(id[:min(13, len(id))], 16, 64); err == nil {
		m.configHash.Set(float64(n))
	}
	m.successful.Set(1)
	if outcome == nginx.Confirmed {
		m.successTime.Set(float64(at.Unix()))
		m.success.Inc()
	}
	m.reloads.WithLabelValues(string(outcome)).Inc()
}

// Failed records a failure of a step. Those of nginx are failed reloads.
func (m *Metrics) Failed(step string, reload bool) {
	m.failures.WithLabelValues(step).Inc()
	if reload {
		m.successful.Set(0)
		m.errors.Inc()
		m.reloads.WithLabelValues(step).Inc()
	}
}

// Model records what the model holds.
func (m *Metrics) Model(c *model.Config, findings []model.Finding) {
	m.findings.Reset()
	for _, f := range findings {
		m.findings.WithLabelValues(string(f.Severity), f.Reason).Inc()
	}
	m.zones.Reset()
	for _, u := range c.Upstreams {
		m.zones.WithLabelValues(string(u.Zone)).Inc()
	}
}

// Endpoints records the number of endpoints.
func (m *Metrics) Endpoints(n int) { m.endpoints.Set(float64(n)) }

// Draining records the number of draining workers.
func (m *Metrics) Draining(n int) { m.draining.Set(float64(n)) }

// Templates records whether the custom templates on disk are in use.
func (m *Metrics) Templates(good bool) { m.templates.Set(truth(good)) }

// Nginx records the version of nginx.
func (m *Metrics) Nginx(v nginx.Version) { m.nginx.WithLabelValues(v.String()).Set(1) }

// Leader records whether this process leads.
func (m *Metrics) Leader(name string, leads bool) { m.leader.WithLabelValues(name).Set(truth(leads)) }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
