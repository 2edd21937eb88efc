package held

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/util/retry"
)

// maxConfigMap bounds the data, in bytes; the API takes 1 MiB.
const maxConfigMap = 900_000

// The key of the data; another form would have another one. The label is on
// what we make, and what does not have it is left alone.
const (
	dataKey      = "held.v1.gz"
	managedLabel = "app.kubernetes.io/managed-by"
	manager      = "sidegate"
)

// ConfigMapName is the name of the ConfigMap beside the lease of an election.
func ConfigMapName(electionID string) string { return electionID + "-held" }

// ConfigMap is a Store for new pods. One process at a time is to save.
type ConfigMap struct {
	Client          corev1client.ConfigMapsGetter
	Namespace, Name string
	Log             logr.Logger
}

var _ Store = (*ConfigMap)(nil)

var errForeign = errors.New("it was not made by Sidegate")

// Load implements Store.
func (s *ConfigMap) Load(ctx context.Context) ([]Held, error) {
	cm, err := s.Client.ConfigMaps(s.Namespace).Get(ctx, s.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the ConfigMap %s/%s with last good versions cannot be read: %w", s.Namespace, s.Name, err)
	}
	list, err := Decode(cm.BinaryData[dataKey])
	if !ours(cm) {
		list, err = nil, errForeign
	}
	if err != nil {
		s.Log.Error(err, "the last good versions in a ConfigMap are not used", "configmap", s.Namespace+"/"+s.Name)
		return nil, nil
	}
	return list, nil
}

func ours(cm *corev1.ConfigMap) bool { return cm.Labels[managedLabel] == manager }

// Save implements Store.
func (s *ConfigMap) Save(ctx context.Context, list []Held) error {
	data, left := Encode(list, maxConfigMap)
	logLeft(s.Log, left)
	// A conflict is another one who was the leader a moment ago.
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return s.save(ctx, data) })
	if err != nil {
		return fmt.Errorf("the last good versions of what is held cannot be written to the ConfigMap %s/%s; a new pod misses them: %w", s.Namespace, s.Name, err)
	}
	return nil
}

func (s *ConfigMap) save(ctx context.Context, data []byte) error {
	api := s.Client.ConfigMaps(s.Namespace)
	cm, err := api.Get(ctx, s.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		if len(data) == 0 {
			return nil
		}
		_, err = api.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name, Labels: map[string]string{managedLabel: manager}},
			BinaryData: map[string][]byte{dataKey: data},
		}, metav1.CreateOptions{})
		return err
	case err != nil:
		return err
	case !ours(cm):
		return errForeign
	case bytes.Equal(cm.BinaryData[dataKey], data):
		return nil
	}
	cm.Data, cm.BinaryData = nil, map[string][]byte{dataKey: data}
	_, err = api.Update(ctx, cm, metav1.UpdateOptions{})
	return err
}
