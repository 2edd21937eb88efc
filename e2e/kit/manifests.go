package kit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldOwner is who the API server notes as the writer of what Apply applies.
const fieldOwner = client.FieldOwner("sidegate-e2e")

// Apply applies every object of the YAML files, in the order of their names and
// of the objects in them, as `kubectl apply --server-side` does. An object
// without a namespace goes to the one given.
func Apply(ctx context.Context, c client.Client, files fs.FS, namespace string, names ...string) error {
	return each(files, namespace, names, c, func(object *unstructured.Unstructured) error {
		return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership)
	})
}

// Delete deletes every object of the YAML files; those that are gone are fine.
func Delete(ctx context.Context, c client.Client, files fs.FS, namespace string, names ...string) error {
	return each(files, namespace, names, c, func(object *unstructured.Unstructured) error {
		return client.IgnoreNotFound(c.Delete(ctx, object))
	})
}

func each(files fs.FS, namespace string, names []string, c client.Client, do func(*unstructured.Unstructured) error) error {
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		objects, err := Decode(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, object := range objects {
			namespaced, err := c.IsObjectNamespaced(object)
			if err != nil {
				return fmt.Errorf("%s: %s %s: %w", name, object.GetKind(), object.GetName(), err)
			}
			if namespaced && object.GetNamespace() == "" {
				object.SetNamespace(namespace)
			}
			if err := do(object); err != nil {
				return fmt.Errorf("%s: %s %s: %w", name, object.GetKind(), object.GetName(), err)
			}
		}
	}
	return nil
}

// Decode reads the objects of a file of YAML documents.
func Decode(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 { // a document of comments only is none
			objects = append(objects, object)
		}
	}
}
