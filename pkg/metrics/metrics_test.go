package metrics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
)

// running is an nginx of fixed numbers, or none.
type running struct{ gone bool }

func (r running) Connections(context.Context) (nginx.Connections, error) {
	if r.gone {
		return nginx.Connections{}, errors.New("gone")
	}
	return nginx.Connections{Accepted: 5, Handled: 4, Requests: 9, Active: 3, Reading: 1, Writing: 2}, nil
}

func (r running) ProcessStats() (nginx.ProcessStats, error) {
	if r.gone {
		return nginx.ProcessStats{}, errors.New("gone")
	}
	return nginx.ProcessStats{Count: 3, CPUSeconds: 1.5, ResidentBytes: 7}, nil
}

func (r running) Workers() ([]nginx.Worker, error) {
	if r.gone {
		return nil, errors.New("gone")
	}
	now := time.Now()
	return []nginx.Worker{{Draining: true, DrainingSince: now.Add(-time.Hour)}, {}, {Draining: true, DrainingSince: now}}, nil
}

var identity = Identity{Class: "k8s.io/ingress-nginx", Namespace: "ns", Pod: "pod"}

func newMetrics(source Nginx) (*prometheus.Registry, *Metrics) {
	return newMetricsOf(source, func() State { return State{} })
}

func newMetricsOf(source Nginx, state func() State) (*prometheus.Registry, *Metrics) {
	r := prometheus.NewPedanticRegistry()
	return r, New(r, identity, "1", Sources{Nginx: source, Questions: func() Questions { return Questions{1, 2, 3} }, State: state})
}

// expect compares what is gathered under the names.
func expect(t *testing.T, r *prometheus.Registry, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

const common = `controller_class="k8s.io/ingress-nginx",controller_namespace="ns",controller_pod="pod"`

func TestReloads(t *testing.T) {
	r, m := newMetrics(running{})
	m.Served("ffffffffffffffff", nginx.Confirmed, time.Unix(100, 0))
	m.Served("00000000000000ff00", nginx.Unchanged, time.Unix(200, 0))
	m.Failed("test", true)
	m.Failed("snapshot", false)
	m.Steps([]nginx.Step{{Name: "test", Duration: time.Second}})
	expect(t, r, `
# HELP nginx_ingress_controller_config_last_reload_successful Whether nginx serves the last configuration that it was told of.
# TYPE nginx_ingress_controller_config_last_reload_successful gauge
nginx_ingress_controller_config_last_reload_successful{`+common+`} 0
# HELP nginx_ingress_controller_config_last_reload_successful_timestamp_seconds When nginx was last confirmed to serve a new configuration.
# TYPE nginx_ingress_controller_config_last_reload_successful_timestamp_seconds gauge
nginx_ingress_controller_config_last_reload_successful_timestamp_seconds{`+common+`} 100
# HELP nginx_ingress_controller_errors Reloads that were refused or not confirmed.
# TYPE nginx_ingress_controller_errors counter
nginx_ingress_controller_errors{`+common+`} 1
# HELP nginx_ingress_controller_success Reloads that were confirmed.
# TYPE nginx_ingress_controller_success counter
nginx_ingress_controller_success{`+common+`} 1
# HELP sidegate_failures_total Failures of the pipeline by its step.
# TYPE sidegate_failures_total counter
sidegate_failures_total{step="snapshot"} 1
sidegate_failures_total{step="test"} 1
# HELP sidegate_reloads_total Reloads by what came of them.
# TYPE sidegate_reloads_total counter
sidegate_reloads_total{outcome="confirmed"} 1
sidegate_reloads_total{outcome="test"} 1
sidegate_reloads_total{outcome="unchanged"} 1
`, "nginx_ingress_controller_config_last_reload_successful", "nginx_ingress_controller_config_last_reload_successful_timestamp_seconds",
		"nginx_ingress_controller_success", "nginx_ingress_controller_errors", "sidegate_failures_total", "sidegate_reloads_total")
}

func TestState(t *testing.T) {
	config := &model.Config{
		Upstreams: []model.Upstream{{Zone: "256k"}, {Zone: "256k"}, {Zone: "1m"}},
		Certificates: []model.Certificate{{Host: "a.example.com", Leaf: &model.Leaf{
			Namespace: "default", Secret: "a", NotAfter: time.Unix(1000, 0), SerialNumber: "7", IssuerCommonName: "ca", PublicKeyAlgorithm: "RSA",
		}}},
	}
	// What is there twice, or is no UTF-8, would fail the whole scrape.
	config.Certificates = append(config.Certificates, config.Certificates[0])
	now := State{
		Config:   &model.Config{Certificates: []model.Certificate{{Host: "old.example.com", Leaf: &model.Leaf{IssuerCommonName: "\xff"}}}},
		Findings: []model.Finding{{Severity: model.Info, Reason: "Old"}},
		Orphans:  map[Orphan]bool{{"default", "old", NoService}: true},
	}
	r, _ := newMetricsOf(running{}, func() State { return now })
	if n, err := testutil.GatherAndCount(r, "nginx_ingress_controller_ssl_certificate_info"); err != nil || n != 1 {
		t.Errorf("%d certificates (%v)", n, err)
	}
	// What is not there any more is not told any more.
	now = State{
		Config: config, Findings: []model.Finding{{Severity: model.Error, Reason: "InvalidValue"}}, Endpoints: 6, Fullest: 0.5,
		Orphans: map[Orphan]bool{{"default", "a", NoEndpoint}: true},
	}
	expect(t, r, `
# HELP nginx_ingress_controller_orphan_ingress Ingresses with a path whose Service does not exist or has no endpoint.
# TYPE nginx_ingress_controller_orphan_ingress gauge
nginx_ingress_controller_orphan_ingress{`+common+`,ingress="a",namespace="default",type="no-endpoint"} 1
# HELP nginx_ingress_controller_ssl_certificate_info Who has issued the certificate of a host.
# TYPE nginx_ingress_controller_ssl_certificate_info gauge
nginx_ingress_controller_ssl_certificate_info{class="k8s.io/ingress-nginx",host="a.example.com",identifier="7",issuer_common_name="ca",issuer_organization="",namespace="default",public_key_algorithm="RSA",secret_name="a",serial_number="7"} 1
# HELP nginx_ingress_controller_ssl_expire_time_seconds When the certificate of a host expires, in seconds since 1970.
# TYPE nginx_ingress_controller_ssl_expire_time_seconds gauge
nginx_ingress_controller_ssl_expire_time_seconds{class="k8s.io/ingress-nginx",host="a.example.com",identifier="7",namespace="default",secret_name="a"} 1000
# HELP sidegate_endpoints Endpoints that nginx is told of.
# TYPE sidegate_endpoints gauge
sidegate_endpoints 6
# HELP sidegate_findings Findings by severity and reason.
# TYPE sidegate_findings gauge
sidegate_findings{reason="InvalidValue",severity="error"} 1
# HELP sidegate_upstream_zone_fullest_ratio How full the fullest zone of an upstream is, of what it is sized for.
# TYPE sidegate_upstream_zone_fullest_ratio gauge
sidegate_upstream_zone_fullest_ratio 0.5
# HELP sidegate_upstream_zones Upstreams by the size of their zone.
# TYPE sidegate_upstream_zones gauge
sidegate_upstream_zones{size="1m"} 1
sidegate_upstream_zones{size="256k"} 2
`, "nginx_ingress_controller_orphan_ingress", "nginx_ingress_controller_ssl_certificate_info", "nginx_ingress_controller_ssl_expire_time_seconds",
		"sidegate_endpoints", "sidegate_findings", "sidegate_upstream_zone_fullest_ratio", "sidegate_upstream_zones")
}

func TestNginx(t *testing.T) {
	r, m := newMetrics(running{})
	now := time.Unix(1000, 0)
	if n, oldest := drain([]nginx.Worker{{Draining: true, DrainingSince: now.Add(-time.Minute)}, {}, {Draining: true, DrainingSince: now.Add(-time.Second)}}, now); n != 2 || oldest != time.Minute {
		t.Errorf("%d workers drain for %s", n, oldest)
	}
	m.Nginx(Tests, nginx.Version{1, 30, 1})
	m.Nginx(Tests, nginx.Version{1, 30, 2})
	expect(t, r, `
# HELP nginx_ingress_controller_nginx_process_connections Connections of clients by what they do.
# TYPE nginx_ingress_controller_nginx_process_connections gauge
nginx_ingress_controller_nginx_process_connections{`+common+`,state="active"} 3
nginx_ingress_controller_nginx_process_connections{`+common+`,state="reading"} 1
nginx_ingress_controller_nginx_process_connections{`+common+`,state="waiting"} 0
nginx_ingress_controller_nginx_process_connections{`+common+`,state="writing"} 2
# HELP nginx_ingress_controller_nginx_process_connections_total Connections of clients since nginx started.
# TYPE nginx_ingress_controller_nginx_process_connections_total counter
nginx_ingress_controller_nginx_process_connections_total{`+common+`,state="accepted"} 5
nginx_ingress_controller_nginx_process_connections_total{`+common+`,state="handled"} 4
# HELP nginx_ingress_controller_nginx_process_cpu_seconds_total CPU time of nginx's processes.
# TYPE nginx_ingress_controller_nginx_process_cpu_seconds_total counter
nginx_ingress_controller_nginx_process_cpu_seconds_total{`+common+`} 1.5
# HELP nginx_ingress_controller_nginx_process_requests_total Requests since nginx started.
# TYPE nginx_ingress_controller_nginx_process_requests_total counter
nginx_ingress_controller_nginx_process_requests_total{`+common+`} 9
# HELP sidegate_discovery_questions_total Questions of nginx for endpoints by the answer.
# TYPE sidegate_discovery_questions_total counter
sidegate_discovery_questions_total{result="answered"} 1
sidegate_discovery_questions_total{result="empty"} 2
sidegate_discovery_questions_total{result="refused"} 3
# HELP sidegate_draining_workers Workers of older generations that end their requests.
# TYPE sidegate_draining_workers gauge
sidegate_draining_workers 2
# HELP sidegate_nginx_info The version of the nginx that tests configurations, and of the one that runs.
# TYPE sidegate_nginx_info gauge
sidegate_nginx_info{role="tests",version="1.30.2"} 1
`, "nginx_ingress_controller_nginx_process_connections", "nginx_ingress_controller_nginx_process_connections_total",
		"nginx_ingress_controller_nginx_process_cpu_seconds_total", "nginx_ingress_controller_nginx_process_requests_total",
		"sidegate_discovery_questions_total", "sidegate_draining_workers", "sidegate_nginx_info")

	r, _ = newMetrics(running{gone: true})
	if n, err := testutil.GatherAndCount(r, "nginx_ingress_controller_nginx_process_num_procs"); err != nil || n != 0 {
		t.Errorf("an nginx that is gone is told of: %d, %v", n, err)
	}
}

// The metrics follow the conventions of Prometheus, but for the names that
// ingress-nginx chose.
func TestLint(t *testing.T) {
	r, _ := newMetrics(running{})
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, ingressNginx) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// A scrape sees the whole of one state, whenever it comes: what is set at each
// change would be empty for a moment.
func TestScrapesSeeWholeStates(t *testing.T) {
	states := []State{{}, {}}
	for i := range states {
		c := &model.Config{}
		for n := range 200 {
			c.Certificates = append(c.Certificates, model.Certificate{Host: fmt.Sprint(n, ".example.com"), Leaf: &model.Leaf{SerialNumber: fmt.Sprint(i)}})
			states[i].Findings = append(states[i].Findings, model.Finding{Severity: model.Warning, Reason: fmt.Sprint("Reason", n)})
		}
		states[i].Config = c
	}
	var published atomic.Int64
	r, m := newMetricsOf(running{}, func() State { return states[published.Load()%2] })
	m.Nginx(Runs, nginx.Version{1, 30, 1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			m.Nginx(Runs, nginx.Version{1, 30, int(published.Add(1) % 3)})
		}
	}()
	for range 50 {
		for name, want := range map[string]int{"sidegate_findings": 200, "nginx_ingress_controller_ssl_expire_time_seconds": 200, "sidegate_nginx_info": 1} {
			if n, err := testutil.GatherAndCount(r, name); err != nil || n != want {
				t.Fatalf("a scrape sees %d of %d %s (%v)", n, want, name, err)
			}
		}
	}
	cancel()
	<-done
}
