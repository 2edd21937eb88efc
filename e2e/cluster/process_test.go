package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

// Processes of pods, as their node sees them: the nodes share the process
// namespace that the tests are in.

// processes are those of a container whose command line begins with title.
func (w *world) processes(pod *corev1.Pod, container, title string) []int {
	w.Helper()
	status, err := statusOf(pod, container)
	w.must(err)
	_, id, _ := strings.Cut(status.ContainerID, "://")
	if id == "" {
		w.Fatalf("the container %s of %s has no ID", container, pod.Name)
	}
	all, err := filepath.Glob("/proc/[0-9]*/cgroup")
	w.must(err)
	var found []int
	for _, file := range all {
		groups, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(groups), id) {
			continue // it has ended, or is another's
		}
		dir := filepath.Dir(file)
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !strings.HasPrefix(string(line), title) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		w.must(err)
		found = append(found, pid)
	}
	return found
}

// process is the only one of them.
func (w *world) process(pod *corev1.Pod, container, title string) int {
	w.Helper()
	pids := w.processes(pod, container, title)
	if len(pids) != 1 {
		w.Fatalf("%d processes %q in the container %s of %s, want one", len(pids), title, container, pod.Name)
	}
	return pids[0]
}

const (
	nginxMaster = "nginx: master process"
	nginxWorker = "nginx: worker process"
	controller  = "/usr/local/bin/sidegate"
)

// kill kills the process of a container, as the kernel does when memory is short.
func (w *world) kill(pod *corev1.Pod, container, title string) {
	w.Helper()
	w.must(syscall.Kill(w.process(pod, container, title), syscall.SIGKILL))
}

// procFile is a file of /proc of a process, as "name: value" lines.
func (w *world) procStatus(pid int) map[string]string {
	w.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	w.must(err)
	fields := map[string]string{}
	for line := range strings.SplitSeq(string(text), "\n") {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields
}

// mounts are what is mounted in the container of a process, with the options.
func (w *world) mounts(pid int) map[string]string {
	w.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	w.must(err)
	all := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
		fields := strings.Fields(line)
		all[fields[4]] = fields[5]
	}
	return all
}

// alive says whether a process is there and has not ended.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
