// Kubeschemas writes JSON schemas of Kubernetes's objects for kubeconform, out of
// the OpenAPI document that k8s.io/kubernetes carries and of CustomResourceDefinitions.
//
// kubeconform fetches such schemas from a web site; these are of the very version
// that the tests run, and need no network. They are strict: a field that is not
// known is an error, as a field that is null is.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	openAPI := flag.String("openapi", "", "the file swagger.json")
	out := flag.String("output", "", "the directory for the schemas")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: kubeschemas -openapi FILE -output DIR [CRD]...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(*openAPI, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "kubeschemas:", err)
		os.Exit(1)
	}
}

type object = map[string]any

func run(openAPI, dir string, crds []string) error {
	text, err := os.ReadFile(openAPI)
	if err != nil {
		return err
	}
	var document struct{ Definitions map[string]object }
	if err := json.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("%s: %w", openAPI, err)
	}
	if len(document.Definitions) == 0 {
		return fmt.Errorf("%s has no definitions", openAPI)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, definition := range document.Definitions {
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue // a part of others, or one like DeleteOptions, which all groups have
		}
		kind := kinds[0].(object)
		group, version := kind["group"].(string), kind["version"].(string)
		schema := reachable(document.Definitions, name)
		if err := write(dir, group, version, kind["kind"].(string), schema); err != nil {
			return err
		}
	}
	for _, path := range crds {
		if err := writeCRD(dir, path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// reachable is the definition with all that it refers to.
func reachable(all map[string]object, name string) object {
	const prefix = "#/definitions/"
	needed := object{}
	var add func(any)
	add = func(node any) {
		switch n := node.(type) {
		case object:
			if ref, ok := n["$ref"].(string); ok {
				name := strings.TrimPrefix(ref, prefix)
				if _, done := needed[name]; !done {
					needed[name] = strict(name, all[name])
					add(all[name])
				}
			}
			for _, child := range n {
				add(child)
			}
		case []any:
			for _, child := range n {
				add(child)
			}
		}
	}
	add(object{"$ref": prefix + name})
	return object{"$ref": prefix + name, "definitions": needed}
}

// strict returns a schema that takes what Kubernetes takes, and no field that it
// does not know.
func strict(name string, schema object) object {
	if strings.HasSuffix(name, ".util.intstr.IntOrString") || schema["x-kubernetes-int-or-string"] == true {
		return object{"type": []string{"string", "integer"}}
	}
	if strings.HasSuffix(name, ".api.resource.Quantity") {
		return object{"type": []string{"string", "number"}}
	}
	out := maps.Clone(schema)
	delete(out, "format")
	delete(out, "description")
	// Properties are names here, and not words of the language of schemas.
	if properties, ok := schema["properties"].(object); ok {
		next := object{}
		for name, p := range properties {
			next[name] = strict("", p.(object))
		}
		out["properties"] = next
		_, open := schema["additionalProperties"]
		if !open && schema["x-kubernetes-preserve-unknown-fields"] != true && len(properties) > 0 {
			out["additionalProperties"] = false
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if child, ok := schema[key].(object); ok {
			out[key] = strict("", child)
		}
	}
	return out
}

func writeCRD(dir, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var crd struct {
		Kind string
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema object }
			}
		}
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return err
	}
	if crd.Kind != "CustomResourceDefinition" || len(crd.Spec.Versions) == 0 {
		return fmt.Errorf("want a CustomResourceDefinition with versions, not %q with %d", crd.Kind, len(crd.Spec.Versions))
	}
	for _, v := range crd.Spec.Versions {
		if err := write(dir, crd.Spec.Group, v.Name, crd.Spec.Names.Kind, strict("", v.Schema.OpenAPIV3Schema)); err != nil {
			return err
		}
	}
	return nil
}

// write writes a schema under the name that kubeconform's {{.ResourceKind}} and
// {{.KindSuffix}} make.
func write(dir, group, version, kind string, schema object) error {
	name := kind + "-" + version
	if group != "" {
		first, _, _ := strings.Cut(group, ".")
		name = kind + "-" + first + "-" + version
	}
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	text, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, strings.ToLower(name)+".json"), text, 0o644)
}
