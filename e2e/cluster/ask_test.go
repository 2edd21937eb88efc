package cluster_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// forward makes a port that listens on loopback in a pod reachable until the
// test ends, and returns where.
func (w *world) forward(pod *corev1.Pod, port int) (address string, err error) {
	cmd := exec.CommandContext(w.Context(), "kubectl", "port-forward", "--namespace", pod.Namespace, "pod/"+pod.Name, fmt.Sprintf(":%d", port))
	cmd.Stderr = w.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w.Cleanup(func() { cmd.Wait() }) //nolint:errcheck // the end of the test kills it
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("kubectl port-forward to port %d of %s ended at once: %w", port, pod.Name, err)
	}
	address, _, ok := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " -> ")
	if !ok {
		return "", fmt.Errorf("kubectl port-forward to port %d of %s says %q", port, pod.Name, line)
	}
	return address, nil
}

const (
	healthPort = 10254
	debugPort  = 10256
)

// health is where the controller of a pod answers: the tests reach pods.
func health(pod *corev1.Pod) string { return fmt.Sprintf("%s:%d", pod.Status.PodIP, healthPort) }

// metric is a metric of the controller of a pod, summed over its labels.
func (w *world) metric(pod *corev1.Pod, name string) float64 {
	w.Helper()
	status, text, err := get(w.Context(), health(pod), "localhost", "/metrics")
	if err != nil || status != http.StatusOK {
		w.Fatalf("the metrics of %s: status %d, %v", pod.Name, status, err)
	}
	sum, found := 0.0, false
	for line := range strings.SplitSeq(text, "\n") {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest == "" || (rest[0] != '{' && rest[0] != ' ') {
			continue
		}
		fields := strings.Fields(rest)
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		w.must(err)
		sum, found = sum+value, true
	}
	if !found {
		w.Fatalf("the metrics of %s hold no %s", pod.Name, name)
	}
	return sum
}

// reloads is how often nginx of a pod has been reloaded.
func (w *world) reloads(pod *corev1.Pod) int {
	w.Helper()
	return int(w.metric(pod, "nginx_ingress_controller_success"))
}
