package charts_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sidegate/sidegate/e2e/kit"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	chart     = "sidegate"
	namespace = "ingress-nginx"
)

// tool is a program that e2e/install brings.
func tool(t *testing.T, name string) string {
	t.Helper()
	cache, err := kit.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cache, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no %s: run e2e/install/helm.sh and e2e/install/kubeconform.sh, as `make chart` does (%v)", name, err)
	}
	return path
}

// release is what an installation would make.
type release struct {
	Manifest string
	Info     struct{ Notes string }
}

// install renders the chart with a file of values, as `helm install` does without
// a cluster. An error is what helm says of the values.
func install(t *testing.T, file string) (*release, error) {
	t.Helper()
	if r := rendered[file]; r != nil {
		return r, nil
	}
	var stderr bytes.Buffer
	cmd := exec.Command(tool(t, "bin/helm"), "install", "sidegate", chart, "--namespace", namespace, "--dry-run=client", "--output", "json", "--values", file)
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "KUBECONFIG=/dev/null")
	out, err := cmd.Output()
	if err != nil {
		return nil, &helmError{strings.TrimSpace(stderr.String())}
	}
	for line := range strings.Lines(stderr.String()) {
		if !strings.Contains(line, "--dry-run") {
			t.Errorf("helm warns: %s", line)
		}
	}
	var r release
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	rendered[file] = &r
	return &r, nil
}

// rendered are the releases by their file, as several tests look at each.
var rendered = map[string]*release{}

type helmError struct{ text string }

func (e *helmError) Error() string { return e.text }

// mustInstall is install with values that are fine.
func mustInstall(t *testing.T, values string) *release {
	t.Helper()
	r, err := install(t, valuesFile(t, values))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func valuesFile(t *testing.T, values string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// objects are those of the manifest.
func (r *release) objects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	out, err := kit.Decode([]byte(r.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// object is the one object of a kind and name, or nil.
func (r *release) object(t *testing.T, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range r.objects(t) {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	return nil
}

// cases are the values that are tested: those of testdata, and the examples that
// docs/install.md tells users to take.
func cases(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"testdata/cases/*.yaml", "../examples/values/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s (%v)", pattern, err)
		}
		for _, file := range files {
			out[strings.TrimSuffix(filepath.Base(file), ".yaml")] = file
		}
	}
	return out
}

// A golden file has what values make: the objects that differ from those that no
// values make, and the notes.
func TestGolden(t *testing.T) {
	plain := mustInstall(t, "")
	usual := map[string]bool{}
	for _, d := range documents(plain.Manifest) {
		usual[d] = true
	}
	for name, file := range cases(t) {
		t.Run(name, func(t *testing.T) {
			r, err := install(t, file)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, d := range documents(r.Manifest) {
				if name == "default" || !usual[d] {
					b.WriteString("---\n" + d)
				}
			}
			for _, o := range plain.objects(t) {
				if r.object(t, o.GetKind(), o.GetName()) == nil {
					b.WriteString("--- # not there: " + o.GetKind() + " " + o.GetName() + "\n")
				}
			}
			b.WriteString("--- # notes\n")
			for line := range strings.Lines(r.Info.Notes) {
				b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
			}
			compare(t, filepath.Join("testdata/golden", name+".yaml"), b.String())
		})
	}
}

func documents(manifest string) (out []string) {
	for d := range strings.SplitSeq(manifest, "---\n") {
		if d = strings.Trim(d, "\n"); d != "" {
			out = append(out, d+"\n")
		}
	}
	return out
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", file, diff)
	}
}

func TestLint(t *testing.T) {
	for name, file := range cases(t) {
		if out, err := exec.Command(tool(t, "bin/helm"), "lint", "--strict", "--quiet", chart, "--values", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// Every object has the shape that Kubernetes, the Prometheus Operator and KEDA
// want, and no field that they do not know.
func TestSchemas(t *testing.T) {
	dir := t.TempDir()
	for name, file := range cases(t) {
		r, err := install(t, file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(r.Manifest), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(tool(t, "bin/kubeconform"), "-strict", "-summary",
		"-schema-location", tool(t, "kube-schemas")+"/{{.ResourceKind}}{{.KindSuffix}}.json", dir).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
