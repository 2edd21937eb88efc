package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// versionLabels are those that tell one roll-out from the next.
var versionLabels = []string{"pod-template-hash", "controller-revision-hash", "pod-template-generation"}

// othersRun tells whether pods with the labels of this one go on. An error of
// the API is no answer. Outside of a pod there is nobody else.
func (l *leader) othersRun(ctx context.Context) (bool, error) {
	if l.Pod == "" {
		return false, nil
	}
	pods := l.api.CoreV1().Pods(l.Namespace)
	own, err := pods.Get(ctx, l.Pod, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("the pod %s/%s, whose labels the others have, cannot be read: %w", l.Namespace, l.Pod, err)
	}
	labels := maps.Clone(own.Labels)
	for _, name := range versionLabels {
		delete(labels, name)
	}
	if len(labels) == 0 {
		return false, fmt.Errorf("the pod %s/%s has no labels by which others could be known", l.Namespace, l.Pod)
	}
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: labels})})
	if err != nil {
		return false, fmt.Errorf("the pods beside %s/%s cannot be listed: %w", l.Namespace, l.Pod, err)
	}
	return slices.ContainsFunc(list.Items, func(p corev1.Pod) bool {
		return p.Name != l.Pod && p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning
	}), nil
}
