package metrics

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/model"
)

// State is what a scrape sees: what was last published, which never changes,
// and the endpoints of that moment.
type State struct {
	// Config is what nginx serves, nil before the first one.
	Config   *model.Config
	Findings []model.Finding
	// Endpoints is how many there are, and Fullest how full the fullest zone is.
	Endpoints int
	Fullest   float64
	Orphans   map[Orphan]bool
}

// Orphan is an Ingress with a path that has nobody to answer.
type Orphan struct {
	Namespace, Ingress string
	// Type is NoService or NoEndpoint.
	Type string
}

// The types of an Orphan, as ingress-nginx names them.
const (
	NoService  = "no-service"
	NoEndpoint = "no-endpoint"
)

// state collects what the last published state holds. Gauges that are set at
// each change would have to be emptied first, and show nothing to a scrape in
// between.
type state struct {
	source func() State
	class  string

	findings, zones, endpoints, fullest, orphans *prometheus.Desc
	expire, info                                 *prometheus.Desc

	// mu guards what was made of the last config, which is thousands of
	// certificates.
	mu       sync.Mutex
	config   *model.Config
	ofConfig []prometheus.Metric
}

func newState(source func() State, class string, common prometheus.Labels) *state {
	// The metrics of certificates never had other labels in common.
	certificate := []string{"class", "namespace", "host", "secret_name", "identifier"}
	return &state{
		source: source, class: class,
		findings:  prometheus.NewDesc("sidegate_findings", "Findings by severity and reason.", []string{"severity", "reason"}, nil),
		zones:     prometheus.NewDesc("sidegate_upstream_zones", "Upstreams by the size of their zone.", []string{"size"}, nil),
		endpoints: prometheus.NewDesc("sidegate_endpoints", "Endpoints that nginx is told of.", nil, nil),
		fullest:   prometheus.NewDesc("sidegate_upstream_zone_fullest_ratio", "How full the fullest zone of an upstream is, of what it is sized for.", nil, nil),
		orphans: prometheus.NewDesc(ingressNginx+"orphan_ingress", "Ingresses with a path whose Service does not exist or has no endpoint.",
			[]string{"namespace", "ingress", "type"}, common),
		expire: prometheus.NewDesc(ingressNginx+"ssl_expire_time_seconds", "When the certificate of a host expires, in seconds since 1970.", certificate, nil),
		info: prometheus.NewDesc(ingressNginx+"ssl_certificate_info", "Who has issued the certificate of a host.",
			append(certificate[:len(certificate):len(certificate)], "issuer_organization", "issuer_common_name", "serial_number", "public_key_algorithm"), nil),
	}
}

// Describe implements prometheus.Collector.
func (s *state) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.findings, s.zones, s.endpoints, s.fullest, s.orphans, s.expire, s.info} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(out chan<- prometheus.Metric) {
	now := s.source()
	set := samples{}
	set.add(s.endpoints, float64(now.Endpoints))
	set.add(s.fullest, now.Fullest)
	for o := range now.Orphans {
		set.add(s.orphans, 1, o.Namespace, o.Ingress, o.Type)
	}
	type kind struct{ severity, reason string }
	findings := map[kind]int{}
	for _, f := range now.Findings {
		findings[kind{string(f.Severity), f.Reason}]++
	}
	for k, n := range findings {
		set.add(s.findings, float64(n), k.severity, k.reason)
	}
	for _, m := range set.list {
		out <- m
	}
	for _, m := range s.model(now.Config) {
		out <- m
	}
}

// model makes the metrics of a config, once.
func (s *state) model(c *model.Config) []prometheus.Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c == s.config {
		return s.ofConfig
	}
	set := samples{}
	if c != nil {
		zones := map[string]int{}
		for i := range c.Upstreams {
			zones[string(c.Upstreams[i].Zone)]++
		}
		for size, n := range zones {
			set.add(s.zones, float64(n), size)
		}
		for _, cert := range c.Certificates {
			s.certificate(&set, cert.Host, cert.Leaf)
		}
		s.certificate(&set, model.CatchAll, c.HTTP.TLS.DefaultLeaf)
	}
	s.config, s.ofConfig = c, set.list
	return s.ofConfig
}

func (s *state) certificate(set *samples, host string, leaf *model.Leaf) {
	if leaf == nil {
		return
	}
	labels := []string{s.class, leaf.Namespace, host, leaf.Secret, leaf.SerialNumber}
	set.add(s.expire, float64(leaf.NotAfter.Unix()), labels...)
	set.add(s.info, 1, append(labels, leaf.IssuerOrganization, leaf.IssuerCommonName, leaf.SerialNumber, leaf.PublicKeyAlgorithm)...)
}

// samples are gauges with different labels: one that is there twice would fail
// the whole scrape, and so would a label that is not UTF-8, as a certificate's
// issuer may be.
type samples struct {
	list []prometheus.Metric
	have map[string]bool
}

func (s *samples) add(desc *prometheus.Desc, value float64, labels ...string) {
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "�")
	}
	key := desc.String() + "\x00" + strings.Join(labels, "\x00")
	if s.have[key] {
		return
	}
	if s.have == nil {
		s.have = map[string]bool{}
	}
	s.have[key] = true
	s.list = append(s.list, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...))
}
