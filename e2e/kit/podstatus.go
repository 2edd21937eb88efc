package kit

import (
	"bytes"
	"context"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// writeStatus writes the Pod's status as it is now. It goes on trying while the
// API server is away; only the object's end is a reason to give up.
func (w *podWorker) writeStatus(ctx context.Context) {
	if !w.four.IsValid() {
		return // it never ran
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": w.pod.UID}, // not that of a namesake
		"status":   w.status(),
	})
	if err != nil {
		w.log.Error(err, "the Pod's status cannot be written")
		return
	}
	if bytes.Equal(patch, w.written) {
		return
	}
	pods := w.kubelet.client.CoreV1().Pods(w.pod.Namespace)
	err = retry(ctx, w.log, "status", func() error {
		_, err := pods.Patch(ctx, w.pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
		return err
	})
	switch {
	case err == nil:
		w.written = patch
	case apierrors.IsNotFound(err) || apierrors.IsConflict(err) || ctx.Err() != nil:
	default:
		w.log.Error(err, "the Pod's status cannot be written")
	}
}

func (w *podWorker) status() corev1.PodStatus {
	ready := len(w.slots) > 0
	for _, s := range w.slots {
		ready = ready && s.ready
	}
	if ready != w.wasReady {
		w.wasReady, w.readySince = ready, metav1.Now()
	}
	status := corev1.PodStatus{
		Phase:     corev1.PodRunning,
		HostIP:    NodeIP.String(),
		HostIPs:   []corev1.HostIP{{IP: NodeIP.String()}, {IP: NodeIPv6.String()}},
		PodIP:     w.four.String(),
		PodIPs:    []corev1.PodIP{{IP: w.four.String()}, {IP: w.six.String()}},
		StartTime: &w.started,
	}
	if w.ending && !w.anyRunning() {
		status.Phase = corev1.PodSucceeded
	}
	condition := func(kind corev1.PodConditionType, ok bool, since metav1.Time) {
		c := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: since}
		if !ok {
			c.Status, c.Reason = corev1.ConditionFalse, "ContainersNotReady"
		}
		status.Conditions = append(status.Conditions, c)
	}
	condition(corev1.PodScheduled, true, w.started)
	condition(corev1.PodInitialized, true, w.started)
	condition(corev1.ContainersReady, ready, w.readySince)
	condition(corev1.PodReady, ready, w.readySince)
	for _, s := range w.slots {
		status.ContainerStatuses = append(status.ContainerStatuses, s.status())
	}
	return status
}

func (s *slot) status() corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name:         s.spec.Name,
		Image:        s.spec.Image,
		ImageID:      s.spec.Image,
		Ready:        s.ready,
		Started:      &s.running,
		RestartCount: s.restarts,
	}
	switch {
	case s.running:
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: s.since}
	case s.process == nil:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CreateContainerError"}
	default:
		status.State.Terminated = &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: s.since, FinishedAt: s.ended,
		}
	}
	return status
}
