package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Object is an object of the API.
type Object = client.Object

// Version tells apart what can be read of an object: two objects of one name
// and one Version are the same to us. It is a hash of an Ingress's spec,
// annotations and age, which a write of its status leaves alone, of a
// ConfigMap's data, and the resourceVersion of others.
//
// The hash is remembered by UID and resourceVersion: whoever makes another
// object of one must clear one of the two.
func Version(o Object) string {
	var content any
	switch o := o.(type) {
	case *networkingv1.Ingress:
		return versions.get(o, func() any { return contentOf(o) })
	case *corev1.ConfigMap:
		content = [2]any{o.Data, o.BinaryData}
	default:
		if v := o.GetResourceVersion(); v != "" {
			return v
		}
		content = o // from a file
	}
	return hash(content)
}

// ingressContent is what is read of an Ingress.
type ingressContent struct {
	Created     time.Time // of two that claim the same, the older one wins
	Annotations map[string]string
	Spec        *networkingv1.IngressSpec
}

func contentOf(ing *networkingv1.Ingress) ingressContent {
	annotations := ing.Annotations
	if _, ok := annotations[corev1.LastAppliedConfigAnnotation]; ok {
		annotations = maps.Clone(annotations)
		delete(annotations, corev1.LastAppliedConfigAnnotation)
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	return ingressContent{ing.CreationTimestamp.UTC(), annotations, &ing.Spec}
}

func hash(content any) string {
	data, err := json.Marshal(content)
	if err != nil {
		return "" // these types have nothing that JSON lacks
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// versions are the hashes of the objects that were asked about last.
var versions versionMemo

// versionMemo has room for twice maxVersions: when the younger half is full,
// the older one, of which nothing was asked since, is forgotten.
type versionMemo struct {
	mu           sync.Mutex
	young, older map[versionKey]string
}

type versionKey struct {
	uid             types.UID
	resourceVersion string
}

const maxVersions = 1 << 15

func (m *versionMemo) get(o Object, content func() any) string {
	key := versionKey{o.GetUID(), o.GetResourceVersion()}
	if key.uid == "" || key.resourceVersion == "" {
		return hash(content())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.young[key]; ok {
		return v
	}
	v, ok := m.older[key]
	if !ok {
		v = hash(content())
	}
	if m.young == nil || len(m.young) >= maxVersions {
		m.older, m.young = m.young, make(map[versionKey]string, len(m.young))
	}
	m.young[key] = v
	return v
}
