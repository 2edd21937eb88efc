package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/model"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// reasonDocs says what the reasons of findings mean. A test sees to it that
// none is missing that the code gives.
var reasonDocs = map[string]string{
	model.ReasonInvalidValue:       "A value breaks the rule that the message tells. What it belongs to is ignored, and the rest of the object is not.",
	model.ReasonUnknownAnnotation:  "An annotation below our prefix is not known. It is ignored.",
	model.ReasonNotImplemented:     "An annotation or a key of ingress-nginx is not there yet. It is ignored; where it would keep requests out, the location is closed.",
	model.ReasonNotSupported:       "Stock nginx cannot do it, or nothing is left for it to do; the message says which.",
	model.ReasonApproximated:       "What nginx does differs a little from what ingress-nginx did; the message says how.",
	model.ReasonUnknownKey:         "A key of the ConfigMap is not known. It is ignored.",
	model.ReasonForbiddenTarget:    "An address that nothing is sent to: loopback, link-local, unspecified, multicast, broadcast, or a port of the controller or its nginx.",
	model.ReasonHostPathTaken:      "An older Ingress has the same path of the same host. This one is not served.",
	model.ReasonDuplicatePath:      "An Ingress has the same path of a host twice. The first one counts.",
	model.ReasonRegexOnHost:        "Another Ingress of the host has use-regex or rewrite-target, which makes a regular expression of this path as well.",
	model.ReasonServiceNotFound:    "The Service does not exist. The path answers 503.",
	model.ReasonPortNotFound:       "The Service has no such port. The path answers 503.",
	model.ReasonBackendUnsupported: "The backend is not one that requests can be sent to. The path answers 503.",
	model.ReasonCertificateMissing: "The Secret of a tls section does not exist. The host answers with the default certificate.",
	model.ReasonCertificateInvalid: "The Secret of a certificate cannot be used. The host answers with the default certificate.",
	model.ReasonCertificateExpired: "The certificate is not valid any more, or not yet. It is served all the same.",
	model.ReasonCertificateHost:    "The certificate does not name the host. It is served all the same.",
	model.ReasonLocationClosed:     "What was to guard a location cannot be set up, so it answers 503 and is not open.",
	model.ReasonCatchAllDisabled:   "A rule would serve every host, which --disable-catch-all forbids. It is ignored.",
	model.ReasonQuarantined:        "What this version of an Ingress, or of the ConfigMap, makes of the configuration is refused. Its last good version stays, and nobody else waits. It is tried again with back-off, and when it, or what it clashes with, changes.",
	model.ReasonNoSnapshot:         "The API server cannot be read. It is about the controller's own pod; nginx goes on with what it has.",
	model.ReasonMachine:            "No configuration can be tested, not even the one that nginx serves: the machine or the container is short of memory, disk or file descriptors. It is about the controller's own pod; no object is to blame, and nginx goes on with what it has.",
	model.ReasonUnconfirmed:        "nginx was given a configuration that passed its test, and does not serve it for certain. It is about the controller's own pod; it is tried again.",
	model.ReasonHostShared:         "Ingresses of several namespaces name the host, and one may get requests that an older one's path could serve. Both are told; --strict-host-ownership forbids it.",
	model.ReasonHostOwned:          "The host belongs to another namespace, whose Ingress is older (--strict-host-ownership). The rule is ignored.",
	model.ReasonReservedPath:       "The path is below /_sidegate, where Sidegate's own locations are. It is ignored.",
	model.ReasonInvalidName:        "The object has a name that Kubernetes would not let it have (manifests of a directory). It is ignored.",
	model.ReasonUserLeftOut:        "A user of an auth-secret has no hash, one of an unknown kind, or one that costs too much to compute. That user gets 401; the others come in.",
	model.ReasonCostlyExpression:   "A path is a regular expression that can backtrack. Where it does for long, nginx gives up and answers 500.",
}

func (d *document) reasons() {
	d.WriteString(`
## Findings

A finding names an object, a field, its value and what is wrong. It is an Event of
the object, a line of the log, a line of ` + "`sidegate render`" + `, and an entry of
` + "`/debug/findings`" + `. An *error* means that something is not served, a *warning* that
it is served differently, *info* that it is good to know.
`)
	var rows [][]string
	for _, reason := range sortedKeys(reasonDocs) {
		rows = append(rows, []string{code(reason), reasonDocs[reason]})
	}
	d.table([]string{"reason", "what it means"}, rows)
}

// description reads what the library tells of a metric, which is text only.
var description = regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)", (?:unit: "[^"]*", )?constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}\}$`)

func (d *document) metrics() error {
	d.WriteString(`
## Metrics

At ` + "`/metrics`" + ` of ` + "`--healthz-port`" + `, beside those of the Go runtime and of
controller-runtime. Names that begin with nginx_ingress_controller are those of
ingress-nginx.
`)
	r := &recorder{}
	metrics.New(r, metrics.Identity{}, "", metrics.Sources{})
	var rows [][]string
	for _, c := range r.collectors {
		descriptions := make(chan *prometheus.Desc, 100)
		c.Describe(descriptions)
		close(descriptions)
		for desc := range descriptions {
			m := description.FindStringSubmatch(desc.String())
			if m == nil {
				return fmt.Errorf("the description of a metric cannot be read: %s", desc)
			}
			labels := strings.Split(strings.Trim(constantLabel.ReplaceAllString(m[3], "$1")+","+m[4], ","), ",")
			rows = append(rows, []string{code(m[1]), metricType(m[1], c), strings.Join(labels, ", "), m[2]})
		}
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(strings.Trim(a[0], "`"), strings.Trim(b[0], "`")) })
	d.table([]string{"metric", "type", "labels", "what it tells"}, rows)
	return nil
}

var constantLabel = regexp.MustCompile(`([a-z_]+)="[^"]*"`)

func metricType(name string, c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.HistogramVec, prometheus.Histogram:
		return "histogram"
	case *prometheus.GaugeVec, prometheus.Gauge: // a Gauge has all methods of a Counter
		return "gauge"
	case prometheus.Counter:
		return "counter"
	}
	// A collector of several metrics.
	if strings.HasSuffix(name, "_total") {
		return "counter"
	}
	return "gauge"
}

// recorder remembers what is registered.
type recorder struct{ collectors []prometheus.Collector }

func (r *recorder) Register(c prometheus.Collector) error {
	r.collectors = append(r.collectors, c)
	return nil
}

func (r *recorder) MustRegister(list ...prometheus.Collector) {
	r.collectors = append(r.collectors, list...)
}

func (r *recorder) Unregister(prometheus.Collector) bool { return false }
