package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// tokenDir is where a service account's token is mounted.
const tokenDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// TestPod is what docs/design.md says of the pod, seen on a node.
func TestPod(t *testing.T) {
	w := enter(t)
	r := w.install("pod", "pod")
	pod := r.pod()

	t.Run("the namespace admits nothing else", func(t *testing.T) {
		_, err := w.clientset.CoreV1().Pods("pod").Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "plain"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "plain", Image: "sidegate.test/echo:1"}}},
		}, metav1.CreateOptions{})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "restricted") {
			t.Errorf("a pod without a security context: %v, want it refused", err)
		}
	})
	t.Run("nginx starts after the first configuration", func(t *testing.T) {
		sidecar, err := statusOf(&pod, "controller")
		w.must(err)
		nginx, err := statusOf(&pod, "nginx")
		w.must(err)
		if sidecar.Started == nil || !*sidecar.Started || nginx.State.Running.StartedAt.Before(&sidecar.State.Running.StartedAt) {
			t.Errorf("the controller runs since %v and nginx since %v", sidecar.State.Running, nginx.State.Running)
		}
		if n := sidecar.RestartCount + nginx.RestartCount; n != 0 {
			t.Errorf("the containers were restarted %d times", n)
		}
	})

	master := w.process(&pod, "nginx", nginxMaster)
	sidegate := w.process(&pod, "controller", controller)
	workers := w.processes(&pod, "nginx", nginxWorker)
	if len(workers) == 0 {
		t.Fatal("nginx has no workers")
	}
	for _, pid := range append(workers, master, sidegate) {
		status := w.procStatus(pid)
		for field, want := range map[string]string{
			"Uid": "101\t101\t101\t101", "Gid": "101\t101\t101\t101", "NoNewPrivs": "1", "Seccomp": "2",
			"CapBnd": "0000000000000400", // NET_BIND_SERVICE
		} {
			if status[field] != want {
				t.Errorf("%s (process %d): %s is %q, want %q", status["Name"], pid, field, status[field], want)
			}
		}
		if !readOnly(w.mounts(pid)["/"]) {
			t.Errorf("%s (process %d) can write to its root file system", status["Name"], pid)
		}
	}
	t.Run("nginx has no token", func(t *testing.T) {
		if _, ok := w.mounts(sidegate)[tokenDir]; !ok {
			t.Errorf("the controller has nothing at %s, so this test looks in the wrong place", tokenDir)
		}
		for path := range w.mounts(master) {
			if strings.Contains(path, "secrets/kubernetes.io") {
				t.Errorf("nginx has %s", path)
			}
		}
	})
	t.Run("nginx cannot write to what it reads", func(t *testing.T) {
		mounts := w.mounts(master)
		for _, path := range []string{"/etc/nginx/sidegate", "/etc/nginx/sidegate/secrets"} {
			if options, ok := mounts[path]; !ok || !readOnly(options) {
				t.Errorf("%s is mounted in nginx with %q, want it read-only", path, options)
			}
		}
	})
	// They share the process namespace, and the user.
	t.Run("nginx cannot look into the controller", func(t *testing.T) {
		for _, file := range []string{"/root" + tokenDir + "/token", "/environ", "/mem"} {
			path := fmt.Sprintf("/proc/%d%s", sidegate, file)
			if out, err := asNginx(t.Context(), "head", "-c", "1", path); err == nil || !strings.Contains(out, "Permission denied") {
				t.Errorf("user 101 reads %s: %q, %v", path, out, err)
			}
		}
		// The test could not fail if user 101 could read nobody's.
		if out, err := asNginx(t.Context(), "head", "-c", "1", fmt.Sprintf("/proc/%d/environ", sleeper(t))); err != nil {
			t.Errorf("user 101 cannot read its own: %v %s", err, out)
		}
	})
}

func readOnly(options string) bool { return strings.HasPrefix(options+",", "ro,") }

// asNginx runs a command with what nginx may do, beside the pod.
func asNginx(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = nginxUser()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", fmt.Errorf("%s did not run: %w", name, err)
	}
	return string(out), err
}

// nginxUser is who nginx is. Of a process that may more than oneself, nothing is
// to be read in any case, so the capability counts.
func nginxUser() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 101, Gid: 101}, AmbientCaps: []uintptr{unix.CAP_NET_BIND_SERVICE}}
}

// sleeper is a process of user 101.
func sleeper(t *testing.T) int {
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	cmd.SysProcAttr = nginxUser()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() }) //nolint:errcheck // it has ended
	return cmd.Process.Pid
}
