package charts_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The chart asks for the first version that has what its pod is made of: native
// sidecars and the sleep of a preStop hook.
func TestKubeVersion(t *testing.T) {
	for version, ok := range map[string]bool{
		"1.29.14": false, "1.30.0": true, "1.30.5-gke.1014001": true, "1.33.1-eks-1": true,
	} {
		cmd := exec.Command(tool(t, "bin/helm"), "template", "sidegate", chart, "--kube-version", version)
		cmd.Env = append(os.Environ(), "KUBECONFIG=/dev/null")
		out, err := cmd.CombinedOutput()
		switch text := string(out); {
		case !ok && (err == nil || !strings.Contains(text, "kubeVersion")):
			t.Errorf("%s is not refused: %v\n%.500s", version, err, text)
		case ok && err != nil:
			t.Errorf("%s is refused: %v\n%.500s", version, err, text)
		case ok && (!strings.Contains(text, "sleep:") || !strings.Contains(text, "restartPolicy: Always")):
			t.Errorf("%s: the pod has no sleep or no sidecar", version)
		}
	}
}

// A sleep that is longer than the pod's grace period is refused by every API
// server, at the first pod; the chart says so before.
func TestSleepFitsTheGracePeriod(t *testing.T) {
	for _, values := range []string{
		"sidegate: {preStopSeconds: 301}",
		"controller: {extraArgs: {shutdown-grace-period: 30}, terminationGracePeriodSeconds: 20}",
	} {
		if _, err := install(t, valuesFile(t, values)); err == nil || !strings.Contains(err.Error(), "terminationGracePeriodSeconds") {
			t.Errorf("%s: %v", values, err)
		}
	}
	for _, values := range []string{"sidegate: {preStopSeconds: 300}", "{sidegate: {preStopSeconds: 400}, controller: {lifecycle: {preStop: {exec: {command: [own]}}}}}"} {
		mustInstall(t, values)
	}
}
