package kit

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// firstProbes is how often a container is asked until it is ready for the first
// time. A kubelet takes the probe's period, a second at least; a test that
// starts a hundred pods would only wait.
const firstProbes = 100 * time.Millisecond

// watchReadiness calls report with every change of the container's readiness,
// until ctx ends.
func watchReadiness(ctx context.Context, container corev1.Container, ip string, report func(ready bool)) {
	probe := container.ReadinessProbe
	var (
		ready     bool
		successes int32
		failures  int32
		interval  = firstProbes
	)
	for {
		if err := ask(ctx, probe, container, ip); err == nil {
			successes, failures = successes+1, 0
		} else {
			successes, failures = 0, failures+1
		}
		switch {
		case !ready && successes >= max(1, probe.SuccessThreshold):
			ready, interval = true, time.Duration(max(1, probe.PeriodSeconds))*time.Second
			report(true)
		case ready && failures >= max(1, probe.FailureThreshold):
			ready = false
			report(false)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
	}
}

// ask makes one probe.
func ask(ctx context.Context, probe *corev1.Probe, container corev1.Container, ip string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(max(1, probe.TimeoutSeconds))*time.Second)
	defer cancel()
	switch {
	case probe.HTTPGet != nil:
		url := fmt.Sprintf("http://%s%s", net.JoinHostPort(ip, port(probe.HTTPGet.Port, container)), probe.HTTPGet.Path)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode < 200 || resp.StatusCode >= 400 {
			return fmt.Errorf("%s answered %s", url, resp.Status)
		}
		return nil
	case probe.TCPSocket != nil:
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(ip, port(probe.TCPSocket.Port, container)))
		if err != nil {
			return err
		}
		return conn.Close()
	default:
		return fmt.Errorf("container %s: only httpGet and tcpSocket probes are possible here", container.Name)
	}
}

// port is a port's number, by the container's names of ports.
func port(p intstr.IntOrString, container corev1.Container) string {
	for _, declared := range container.Ports {
		if p.Type == intstr.String && declared.Name == p.StrVal {
			return strconv.Itoa(int(declared.ContainerPort))
		}
	}
	return p.String()
}
