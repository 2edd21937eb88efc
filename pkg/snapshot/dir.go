package snapshot

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Dir is a directory of manifests that stands in for a cluster. Objects
// without a namespace are in "default"; Ingresses without a creationTimestamp
// are as old as they come, in the order of files and documents. Kinds that
// play no part are passed over.
type Dir struct {
	Path    string
	Classes Classes
	// ConfigMap holds the global settings; an empty name is none.
	ConfigMap types.NamespacedName
}

// Snapshot reads the manifests. The error of one that cannot be read names
// the file and the document.
func (d Dir) Snapshot(context.Context) (*Snapshot, error) {
	var files []string
	err := filepath.WalkDir(d.Path, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var objects []runtime.Object
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		more, err := Decode(file, data)
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	return d.assemble(objects), nil
}

// Decode reads the YAML or JSON documents of a file. Fields that a kind does
// not have are an error: it is how a misspelt one is found.
func Decode(file string, data []byte) ([]runtime.Object, error) {
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	var out []runtime.Object
	for n := 1; ; n++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s, document %d: %w", file, n, err)
		}
		if blank(document) {
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		switch {
		case runtime.IsNotRegisteredError(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("%s, document %d: %w", file, n, err)
		}
		if !meta.IsListType(object) {
			out = append(out, object)
			continue
		}
		items, err := listItems(decoder, object)
		if err != nil {
			return nil, fmt.Errorf("%s, document %d: %w", file, n, err)
		}
		out = append(out, items...)
	}
}

func listItems(decoder runtime.Decoder, list runtime.Object) ([]runtime.Object, error) {
	items, err := meta.ExtractList(list)
	if err != nil {
		return nil, err
	}
	for i, item := range items {
		raw, ok := item.(*runtime.Unknown)
		if !ok {
			continue
		}
		if items[i], err = runtime.Decode(decoder, raw.Raw); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// assemble makes a snapshot of the objects.
func (d Dir) assemble(objects []runtime.Object) *Snapshot {
	out := &Snapshot{
		Time:           time.Now(),
		Services:       map[types.NamespacedName]*corev1.Service{},
		EndpointSlices: map[types.NamespacedName][]*discoveryv1.EndpointSlice{},
		Secrets:        map[types.NamespacedName]*corev1.Secret{},
	}
	classes := map[string]*networkingv1.IngressClass{}
	var ingresses []*networkingv1.Ingress
	for _, object := range objects {
		o, ok := object.(client.Object)
		if !ok {
			continue
		}
		if _, clusterWide := o.(*networkingv1.IngressClass); o.GetNamespace() == "" && !clusterWide {
			o.SetNamespace("default")
		}
		key := client.ObjectKeyFromObject(o)
		switch o := o.(type) {
		case *networkingv1.IngressClass:
			classes[o.Name] = o
		case *networkingv1.Ingress:
			ingresses = append(ingresses, o)
		case *corev1.Service:
			out.Services[key] = o
		case *discoveryv1.EndpointSlice:
			out.AddSlice(o)
		case *corev1.Secret:
			out.Secrets[key] = withStringData(o)
		case *corev1.ConfigMap:
			if key == d.ConfigMap {
				out.ConfigMap = o
			}
		}
	}
	offline := d.Classes
	offline.Offline = true
	for _, ing := range ingresses {
		if offline.Ours(ing, classes) {
			out.Ingresses = append(out.Ingresses, ing)
		}
	}
	slices.SortStableFunc(out.Ingresses, func(a, b *networkingv1.Ingress) int {
		if a.CreationTimestamp.IsZero() && b.CreationTimestamp.IsZero() {
			return 0 // as they would be created, one after the other
		}
		return comparePrecedence(a, b)
	})
	out.sortSlices()
	return out
}

// withStringData does what the API server does with stringData.
func withStringData(s *corev1.Secret) *corev1.Secret {
	if s.Data == nil {
		s.Data = map[string][]byte{}
	}
	for k, v := range s.StringData {
		s.Data[k] = []byte(v)
	}
	s.StringData = nil
	return s
}

// blank tells whether a document holds nothing but comments.
func blank(document []byte) bool {
	for line := range bytes.Lines(document) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}
