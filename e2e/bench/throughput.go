package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	throughputName = "throughput"
	// bodySize is that of an answer, in bytes.
	bodySize    = 1024
	connections = "32"
	// The ports of the hand-written one, beside those of the product.
	handwrittenHTTP, handwrittenHTTPS = "8081", "8444"
)

//go:embed report.lua
var reportScript string

// side is one of the two that are compared.
type side struct {
	name        string
	http, https string // ports
	processes   []procfs.Proc
}

// throughput compares the product with a hand-written configuration for the
// same backends. Both run all the time, and get load in turns.
func (s *suite) throughput() (err error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("%w: e2e/install/wrk.sh installs it", err)
	}
	proxyCore, otherCore, err := twoCores()
	if err != nil {
		return err
	}
	var backends []netip.Addr
	var addresses []string
	for range 3 {
		a, err := s.backends.block.Take()
		if err != nil {
			return err
		}
		backends, addresses = append(backends, a), append(addresses, netip.AddrPortFrom(a, backendPort).String())
	}
	backend, err := startNginx(s.ctx, s.nginx, backendConfig, plainConfig{
		Dir: filepath.Join(s.dir, "backend"), Backends: addresses, Body: strings.Repeat("x", bodySize),
	}, addresses[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.stop()) }()
	ours, err := s.ourSide(backends)
	if err != nil {
		return err
	}
	hand, err := startNginx(s.ctx, s.nginx, handwrittenConfig, plainConfig{
		Dir: filepath.Join(s.dir, "hand"), Backends: addresses, Host: host(throughputName),
		HTTP: handwrittenHTTP, HTTPS: handwrittenHTTPS, Certificate: filepath.Join(s.dir, "g", "secrets", "default.pem"),
	}, net.JoinHostPort(entry, handwrittenHTTP))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hand.stop()) }()
	theirs := side{name: "hand-written", http: handwrittenHTTP, https: handwrittenHTTPS}
	if theirs.processes, err = hand.processes(); err != nil {
		return err
	}
	around, err := backend.processes()
	if err != nil {
		return err
	}
	// The controller, the last of ours, goes where the kernel wants it.
	proxies := append(ours.processes[:len(ours.processes)-1:len(ours.processes)-1], theirs.processes...)
	if err := errors.Join(pin(proxies, proxyCore), pin(around, otherCore)); err != nil {
		return err
	}
	for _, scheme := range []string{"http", "https"} {
		if err := s.compare(scheme, ours, theirs, otherCore); err != nil {
			return err
		}
	}
	// The measurements that follow count Ingresses.
	return errors.Join(s.stopGateway(), s.api.Delete(s.ctx, ingress(throughputName)))
}

// ourSide starts the product with one worker and an Ingress for the backends.
func (s *suite) ourSide(endpoints []netip.Addr) (ours side, err error) {
	settings := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ingress-nginx", Name: "one-worker"},
		Data:       map[string]string{"worker-processes": "1"},
	}
	for _, o := range append(application(throughputName, endpoints), ingress(throughputName), settings) {
		if err := s.api.Create(s.ctx, o); err != nil {
			return ours, err
		}
	}
	if err := s.startGateway("--configmap=ingress-nginx/one-worker"); err != nil {
		return ours, err
	}
	if err := s.served(throughputName, http.StatusOK); err != nil {
		return ours, err
	}
	p, err := gatewayProcesses(s.gateway)
	return side{name: "sidegate", http: "80", https: "443", processes: append(p.nginx, p.controller)}, err
}

// outcome is what one run of wrk says, and what it cost the proxy.
type outcome struct {
	Requests  float64 `json:"requests"`
	Micros    float64 `json:"micros"`
	P99Micros float64 `json:"p99Micros"`
	Failed    int     `json:"failed"`
	cpu       float64 // seconds
}

func (o outcome) rate() float64       { return o.Requests / (o.Micros / 1e6) }
func (o outcome) cpuPer() float64     { return o.cpu / o.Requests }
func (o outcome) latencyP99() float64 { return o.P99Micros / 1e6 }

// figures are what is compared, by the id of their series.
var figures = []struct {
	id, unit string
	of       func(outcome) float64
}{
	{"throughput", "/s", outcome.rate}, {"latency", "s", outcome.latencyP99}, {"cpu", "s", outcome.cpuPer},
}

// compare runs both sides in turns: ABBA, so that a drift of the machine hits
// both alike.
func (s *suite) compare(scheme string, ours, theirs side, core uint64) error {
	ratios, raw := map[string][]float64{}, map[string][]float64{}
	for i := range s.options.samples + 1 {
		order := []side{ours, theirs}
		if i%2 == 1 {
			order = []side{theirs, ours}
		}
		results := map[string]outcome{}
		for _, side := range order {
			o, err := s.load(scheme, side, core)
			if err != nil {
				return fmt.Errorf("%s over %s: %w", side.name, scheme, err)
			}
			results[side.name] = o
		}
		if i == 0 {
			continue // both are warm now
		}
		a, b := results[ours.name], results[theirs.name]
		for _, f := range figures {
			ratios[f.id] = append(ratios[f.id], f.of(a)/f.of(b))
			for _, side := range order {
				key := f.id + " " + side.name
				raw[key] = append(raw[key], f.of(results[side.name]))
			}
		}
		if i%5 == 0 {
			progress("  %s %d of %d: %.0f and by hand %.0f requests/s; %.1f and %.1f µs of CPU a request", scheme, i, s.options.samples,
				a.rate(), b.rate(), a.cpuPer()*1e6, b.cpuPer()*1e6)
		}
	}
	for _, f := range figures {
		s.results.set(f.id+"-ratio", 0, scheme, "", ratios[f.id])
		for _, side := range []side{ours, theirs} {
			s.results.set(f.id, 0, scheme+" "+side.name, f.unit, raw[f.id+" "+side.name])
		}
	}
	return nil
}

// load runs wrk against a side.
func (s *suite) load(scheme string, target side, core uint64) (o outcome, err error) {
	script := filepath.Join(s.dir, "report.lua")
	if err := os.WriteFile(script, []byte(reportScript), 0o644); err != nil {
		return o, err
	}
	port := target.http
	if scheme == "https" {
		port = target.https
	}
	before, err := cpuSeconds(target.processes)
	if err != nil {
		return o, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.options.cycle+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "taskset", "-c", strconv.FormatUint(core, 10), "wrk",
		"-t1", "-c"+connections, "-d"+strconv.Itoa(max(1, int(s.options.cycle.Seconds())))+"s", "--latency", "-s", script,
		"-H", "Host: "+host(throughputName), scheme+"://"+net.JoinHostPort(entry, port)+"/")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return o, fmt.Errorf("wrk: %w: %s", err, text)
	}
	after, err := cpuSeconds(target.processes)
	if err != nil {
		return o, err
	}
	_, line, _ := bytes.Cut(text, []byte("\n{"))
	if err := json.Unmarshal(append([]byte("{"), line...), &o); err != nil {
		return o, fmt.Errorf("what wrk says is not understood: %w: %s", err, text)
	}
	if o.Failed > 0 || o.Requests == 0 {
		return o, fmt.Errorf("%d of %.0f requests failed", o.Failed, o.Requests)
	}
	o.cpu = after - before
	return o, nil
}
