package held

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Held is an object whose newest version is refused.
type Held struct {
	Object model.Object `json:"object"`
	// Bad is the hash of the version that is refused, and Message why.
	Bad     string `json:"bad,omitempty"`
	Message string `json:"message,omitempty"`
	// The good version is one of these, or neither where there never was one.
	Ingress   *networkingv1.Ingress `json:"ingress,omitempty"`
	ConfigMap *corev1.ConfigMap     `json:"configMap,omitempty"`
}

// Store keeps what is held.
type Store interface {
	// Load returns what was saved. Nothing, or something that cannot be used,
	// is no error.
	Load(context.Context) ([]Held, error)
	// Save replaces what was saved, where it is another.
	Save(context.Context, []Held) error
}

// The kinds of objects that can be held.
const (
	kindIngress   = "Ingress"
	kindConfigMap = "ConfigMap"
)

const (
	// maxMessage is what is kept of a message, in bytes.
	maxMessage = 1000
	// maxDecoded bounds what a few bytes can unfold to, and maxObject one line of
	// it: an API server takes no larger object.
	maxDecoded, maxObject = 64 << 20, 4 << 20
)

// Encode writes what is held, in at most limit bytes. What finds no place is
// left out: the ConfigMap goes first, then good versions from the oldest object
// to the youngest, then refusals without one.
func Encode(list []Held, limit int) (data []byte, left []model.Object) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, compare)
	var out bytes.Buffer
	for _, h := range list {
		// Each is a stream of its own, and one after the other they are one.
		member, err := compress(h.bare())
		if err != nil || out.Len()+len(member) > limit {
			left = append(left, h.Object)
			continue
		}
		out.Write(member)
	}
	return out.Bytes(), left
}

func compress(h Held) ([]byte, error) {
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if len(line) > maxObject {
		return nil, errors.New("too large")
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(append(line, '\n'))
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// Decode reads what Encode wrote. Of what is not whole or not ours it takes
// nothing.
func Decode(data []byte) ([]Held, error) {
	if len(data) == 0 {
		return nil, nil
	}
	stream, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: stream, N: maxDecoded}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, maxObject+1)
	var out []Held
	seen := map[model.Object]bool{}
	for lines.Scan() {
		var h Held
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&h); err != nil {
			return nil, err
		}
		if err := h.check(); err != nil {
			return nil, err
		}
		if seen[h.Object] {
			return nil, fmt.Errorf("%s is there twice", h.Object)
		}
		seen[h.Object] = true
		out = append(out, h.bare())
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if limited.N <= 0 {
		return nil, fmt.Errorf("it unfolds to more than %d bytes", maxDecoded)
	}
	return out, nil
}

// check tells whether it says what it is about.
func (h Held) check() error {
	var good *metav1.ObjectMeta
	switch {
	case h.Ingress != nil && h.ConfigMap != nil:
		return fmt.Errorf("%s has two good versions", h.Object)
	case h.Ingress != nil:
		good = &h.Ingress.ObjectMeta
	case h.ConfigMap != nil:
		good = &h.ConfigMap.ObjectMeta
	}
	kind := h.Object.Kind
	switch {
	case kind != kindIngress && kind != kindConfigMap || h.Object.Namespace == "" || h.Object.Name == "":
		return fmt.Errorf("%s cannot be held", h.Object)
	case good == nil:
		return nil
	case (h.Ingress != nil) != (kind == kindIngress) || good.Namespace != h.Object.Namespace || good.Name != h.Object.Name:
		return fmt.Errorf("the good version of %s is another object's", h.Object)
	}
	return nil
}

// bare has only what a configuration is made of: no status, no managed fields,
// no labels.
func (h Held) bare() Held {
	if len(h.Message) > maxMessage {
		h.Message = h.Message[:maxMessage]
	}
	if i := h.Ingress; i != nil {
		h.Ingress = &networkingv1.Ingress{ObjectMeta: meta(i.ObjectMeta), Spec: i.Spec}
	}
	if c := h.ConfigMap; c != nil {
		h.ConfigMap = &corev1.ConfigMap{ObjectMeta: meta(c.ObjectMeta), Data: c.Data}
	}
	return h
}

func meta(m metav1.ObjectMeta) metav1.ObjectMeta {
	annotations := map[string]string{}
	for name, value := range m.Annotations {
		if name != corev1.LastAppliedConfigAnnotation { // a copy of the whole
			annotations[name] = value
		}
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	return metav1.ObjectMeta{
		Namespace: m.Namespace, Name: m.Name, CreationTimestamp: m.CreationTimestamp, UID: m.UID, Generation: m.Generation, Annotations: annotations,
	}
}

// compare is the order in which places are given.
func compare(a, b Held) int {
	created := func(h Held) time.Time {
		if h.Ingress != nil {
			return h.Ingress.CreationTimestamp.Time
		}
		return time.Time{}
	}
	rank := func(h Held) int {
		switch {
		case h.ConfigMap != nil:
			return 0
		case h.Ingress != nil:
			return 1
		}
		return 2
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		created(a).Compare(created(b)),
		cmp.Compare(a.Object.Kind, b.Object.Kind),
		cmp.Compare(a.Object.Namespace, b.Object.Namespace),
		cmp.Compare(a.Object.Name, b.Object.Name),
	)
}
