package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/nginx"
)

// Identity are the labels that all metrics of ingress-nginx have.
type Identity struct {
	Class, Namespace, Pod string
}

// ingressNginx begins the names of metrics that ingress-nginx had.
const ingressNginx = "nginx_ingress_controller_"

// Sources are asked at each scrape.
type Sources struct {
	Nginx     Nginx
	Questions func() Questions
	State     func() State
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
	warnings  prometheus.Gauge
	templates prometheus.Gauge
	listeners *prometheus.GaugeVec
	versions  *versions
}

// New registers the metrics.
func New(registry prometheus.Registerer, id Identity, version string, sources Sources) *Metrics {
	const old = ingressNginx
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
		warnings:  gauge("sidegate_nginx_warnings", "What nginx warns of in the configuration.", nil),
		templates: gauge("sidegate_templates_last_load_successful", "Whether the custom templates that are on disk are in use.", nil),
		listeners: gauges("sidegate_listener_up", "Whether an endpoint of the controller listens.", nil, "endpoint"),
		versions:  newVersions(),
	}
	registry.MustRegister(newProcess(sources.Nginx, common))
	registry.MustRegister(newQuestions(sources.Questions), newState(sources.State, id.Class, common), m.versions, m.steps)
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

// Listener records whether an endpoint of the controller listens.
func (m *Metrics) Listener(name string, up bool) { m.listeners.WithLabelValues(name).Set(truth(up)) }

// Warnings records how much nginx warns of.
func (m *Metrics) Warnings(n int) { m.warnings.Set(float64(n)) }

// Templates records whether the custom templates on disk are in use.
func (m *Metrics) Templates(good bool) { m.templates.Set(truth(good)) }

// Nginx records the version of the nginx with the role.
func (m *Metrics) Nginx(role string, v nginx.Version) { m.versions.set(role, v) }

// Leader records whether this process leads.
func (m *Metrics) Leader(name string, leads bool) { m.leader.WithLabelValues(name).Set(truth(leads)) }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
