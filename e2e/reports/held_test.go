package reports_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/pkg/held"
	"github.com/sidegate/sidegate/pkg/model"
)

// The ConfigMap holds what fits and no more than the API takes; what another
// has made is left alone.
func TestHeldConfigMap(t *testing.T) {
	namespace := newNamespace(t, "held")
	var log journal
	store := &held.ConfigMap{Client: clientset(t).CoreV1(), Namespace: namespace, Name: held.ConfigMapName("leader"), Log: log.logger()}
	load := func() []held.Held {
		t.Helper()
		list, err := store.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	save := func(list []held.Held) {
		t.Helper()
		if err := store.Save(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	object := func() *corev1.ConfigMap {
		t.Helper()
		var cm corev1.ConfigMap
		if err := plane.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "leader-held"}, &cm); err != nil {
			t.Fatal(err)
		}
		return &cm
	}
	save(nil)
	if got := load(); len(got) != 0 {
		t.Errorf("of nothing %v is loaded", got)
	}
	var many []held.Held
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		noise := make([]byte, 1000)
		for n := range noise {
			noise[n] = byte('!' + r.IntN(90))
		}
		name := fmt.Sprint("i", i)
		many = append(many, held.Held{Object: model.IngressObject("default", name), Bad: "b", Ingress: &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, Annotations: map[string]string{"noise": string(noise)}, CreationTimestamp: metav1.NewTime(time.Unix(int64(i), 0)),
		}}})
	}
	save(many)
	got := load()
	if len(got) < 500 || len(got) == len(many) || got[0].Object.Name != "i0" || !strings.Contains(log.String(), "find no place") {
		t.Errorf("of %d, %d are kept, from %v on; the log says\n%s", len(many), len(got), got[0].Object, &log)
	}
	before := object().ResourceVersion
	save(many)
	if got := object().ResourceVersion; got != before {
		t.Error("the same was written again")
	}
	save(many[:2])
	if got := load(); len(got) != 2 {
		t.Errorf("%d are loaded", len(got))
	}
	save(nil)
	if got := load(); len(got) != 0 {
		t.Errorf("%d are loaded", len(got))
	}
	// Somebody edits it by hand.
	cm := object()
	for key := range cm.BinaryData {
		cm.BinaryData[key] = []byte("garbage")
	}
	if err := plane.Client.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	if got := load(); len(got) != 0 {
		t.Errorf("of garbage %v is loaded", got)
	}
	save(many[:1])
	if got := load(); len(got) != 1 {
		t.Errorf("%d are loaded after garbage", len(got))
	}
	cm = object()
	cm.Labels = nil
	if err := plane.Client.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "not made by Sidegate") {
		t.Errorf("another's ConfigMap is overwritten: %v", err)
	}
	if got := load(); len(got) != 0 {
		t.Errorf("of another's ConfigMap %v is loaded", got)
	}
}
