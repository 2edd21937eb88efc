package held

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/google/go-cmp/cmp"
	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ingress is created a number of minutes after another.
func ingress(name string, minute int, annotations ...string) Held {
	i := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: name, CreationTimestamp: metav1.NewTime(time.Unix(int64(minute)*60, 0)), Annotations: map[string]string{},
	}, Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: name + ".example.com"}}}}
	for n, a := range annotations {
		i.Annotations[fmt.Sprint("a", n)] = a
	}
	return Held{Object: model.IngressObject("default", name), Bad: "beef", Message: "nginx refuses it", Ingress: i}
}

func settings() Held {
	return Held{Object: model.Object{Kind: "ConfigMap", Namespace: "default", Name: "settings"}, Bad: "1", ConfigMap: &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "settings"}, Data: map[string]string{"key": "value"},
	}}
}

func TestRoundTrip(t *testing.T) {
	young, old := ingress("young", 2, "x"), ingress("old", 1, "y")
	old.Ingress.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	old.Ingress.Annotations[corev1.LastAppliedConfigAnnotation] = "{}"
	old.Ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	never := Held{Object: model.IngressObject("default", "a-new-one"), Bad: "2", Message: strings.Repeat("m", 5000)}
	data, left := Encode([]Held{never, young, settings(), old}, maxConfigMap)
	if len(left) > 0 {
		t.Errorf("%v is left out", left)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	bareOld := ingress("old", 1, "y")
	short := never
	short.Message = never.Message[:maxMessage]
	if diff := cmp.Diff([]Held{settings(), bareOld, young, short}, got); diff != "" {
		t.Error(diff)
	}
	if again, _ := Encode(got, maxConfigMap); !bytes.Equal(again, data) {
		t.Error("the same is not the same bytes, so it would be written again")
	}
	if got, err := Decode(nil); err != nil || got != nil {
		t.Errorf("nothing is %v, %v", got, err)
	}
}

// The oldest are kept, and one that is too large keeps no other out.
func TestLimit(t *testing.T) {
	noise := func(n int) string {
		b := make([]byte, n)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range b {
			b[i] = byte('!' + r.IntN(90))
		}
		return string(b)
	}
	list := []Held{ingress("huge", 0, noise(20_000))}
	for i := range 20 {
		list = append(list, ingress(fmt.Sprint("i", 99-i), i+1, noise(1000)))
	}
	data, left := Encode(append(list, settings()), 10_000)
	if len(data) > 10_000 {
		t.Errorf("%d bytes", len(data))
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(got)+len(left) != len(list)+1 || len(got) < 5 || got[0].ConfigMap == nil || left[0].Name != "huge" {
		t.Fatalf("%d are kept, %v are left out", len(got), left)
	}
	for i, h := range got[1:] {
		if want := fmt.Sprint("i", 99-i); h.Object.Name != want {
			t.Errorf("%s is kept in the place of %s", h.Object.Name, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good, _ := Encode([]Held{ingress("a", 1)}, maxConfigMap)
	twice := append(bytes.Clone(good), good...)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	zip := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"text": []byte("hello"), "half of it": good[:len(good)-3], "a flipped bit": flipped, "the same object twice": twice,
		"what is no JSON": zip("x\n"), "another form": zip(`{"object":{"kind":"Ingress","namespace":"a","name":"b"},"more":1}`),
		"another kind":    zip(`{"object":{"kind":"Secret","namespace":"a","name":"b"}}`),
		"another object":  zip(`{"object":{"kind":"Ingress","namespace":"a","name":"b"},"ingress":{"metadata":{"namespace":"a","name":"c"}}}`),
		"another's kind":  zip(`{"object":{"kind":"Ingress","namespace":"a","name":"b"},"configMap":{"metadata":{"namespace":"a","name":"b"}}}`),
		"a bomb":          zip(strings.Repeat(" ", maxObject+10)),
		"a bomb of lines": zip(strings.Repeat(strings.Repeat(" ", 100_000)+"{}\n", 700)),
	} {
		if got, err := Decode(data); err == nil {
			t.Errorf("%s is read as %v", name, got)
		}
	}
}

func TestFile(t *testing.T) {
	f := &File{Path: filepath.Join(t.TempDir(), "state", "held"), Log: testr.New(t)}
	load := func(want int) {
		t.Helper()
		if list, err := f.Load(t.Context()); err != nil || len(list) != want {
			t.Errorf("%d are loaded, want %d (%v)", len(list), want, err)
		}
	}
	save := func(list ...Held) {
		t.Helper()
		if err := f.Save(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	load(0)
	save()
	if _, err := os.Stat(f.Path); err == nil {
		t.Error("a file of nothing is written")
	}
	save(ingress("a", 1), ingress("b", 2))
	load(2)
	before, err := os.Stat(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	save(ingress("b", 2), ingress("a", 1))
	if after, err := os.Stat(f.Path); err != nil || !os.SameFile(before, after) || before.Mode().Perm() != 0o600 {
		t.Errorf("the same is written again, or its mode is wrong: %v (%v)", before.Mode(), err)
	}
	if err := os.WriteFile(f.Path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	load(0)
	save(ingress("a", 1))
	load(1)
	save()
	load(0)
	if entries, err := os.ReadDir(filepath.Dir(f.Path)); err != nil || len(entries) != 1 {
		t.Errorf("%v is left (%v)", entries, err)
	}
}
