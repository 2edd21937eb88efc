package cluster_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// debug fetches a page of the debug endpoint as a user does: nothing outside of
// the controller's container reaches it.
func (w *world) debug(ctx context.Context, pod *corev1.Pod, page string) ([]byte, error) {
	u, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	name := path.Base(u.Path)
	command := []string{"dump", name}
	if name == "explain" {
		command = []string{name, u.Query().Get("url"), "--output=json"}
	}
	args := append([]string{"exec", "--namespace", pod.Namespace, pod.Name, "--container=controller", "--", "sidegate"}, command...)
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Stderr = w.Output()
	return cmd.Output()
}

const healthPort = 10254

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
