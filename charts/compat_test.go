package charts_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// table is files/ingress-nginx.yaml.
type table struct {
	Values []struct {
		Key, Switch, Instead string
		Same                 []any
	}
	Flags map[string][]string
}

func readYAML(t *testing.T, file string, out any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func readTable(t *testing.T) (out table) {
	t.Helper()
	readYAML(t, chart+"/files/ingress-nginx.yaml", &out)
	return out
}

// reported are the keys that the notes tell of.
func reported(r *release) (out []string) {
	_, list, _ := strings.Cut(r.Info.Notes, "THESE DO NOT DO WHAT THEY SAY:\n")
	for line := range strings.Lines(list) {
		key, _, _ := strings.Cut(strings.TrimPrefix(line, "  - "), ": ")
		out = append(out, key)
	}
	return out
}

// nested is {"a": {"b": value}} for a.b.
func nested(key string, value any) map[string]any {
	first, rest, more := strings.Cut(key, ".")
	if more {
		value = nested(rest, value)
	}
	return map[string]any{first: value}
}

// Each value without effect is told when it is set, and only then.
func TestReports(t *testing.T) {
	schema := readSchema(t)
	all := map[string]any{}
	same := map[int]map[string]any{} // by the place in the row's list
	var want []string
	for _, row := range readTable(t).Values {
		want = append(want, row.Key)
		for i, value := range row.Same {
			if same[i] == nil {
				same[i] = map[string]any{}
			}
			merge(same[i], nested(row.Key, value))
		}
		merge(all, nested(row.Key, otherValue(t, schema, row.Key, row.Switch, row.Same)))
	}
	for _, values := range same {
		if keys := reported(mustInstall(t, toYAML(t, values))); len(keys) > 0 {
			t.Errorf("these change nothing and are reported: %v", keys)
		}
	}
	got := reported(mustInstall(t, toYAML(t, all)))
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
	for values, want := range map[string][]string{
		"": nil,
		"controller: {admissionWebhooks: {enabled: false}}":                                                                      nil,
		"controller: {opentelemetry: {enabled: false, image: {tag: a}}}":                                                         nil,
		"controller: {extraArgs: {sync-period: 1m, metrics-per-host: ''}}":                                                       {"controller.extraArgs.metrics-per-host", "controller.extraArgs.sync-period"},
		"controller: {readinessProbe: {httpGet: {path: /own}}}":                                                                  {"controller.readinessProbe"},
		"controller: {livenessProbe: {httpGet: {path: /healthz}}}":                                                               nil,
		"controller: {customTemplate: {configMapName: a, configMapKey: nginx.tmpl}}":                                             {"controller.customTemplate"},
		"controller: {publishService: {enabled: false}}":                                                                         {"controller.publishService.enabled"},
		"controller: {publishService: {enabled: false}, extraArgs: {publish-status-address: a}}":                                 nil,
		"controller: {service: {internal: {enabled: true}}}":                                                                     {"controller.service.internal.enabled"},
		"defaultBackend: {enabled: true}":                                                                                        {"defaultBackend.enabled"},
		"controller: {affinity: {podAntiAffinity: {x: {app.kubernetes.io/name: ingress-nginx}}}}":                                {"controller.affinity"},
		"{nameOverride: ingress-nginx, controller: {affinity: {podAntiAffinity: {x: {app.kubernetes.io/name: ingress-nginx}}}}}": nil,
		"controller: {keda: {triggers: [{query: nginx_ingress_controller_requests}]}}":                                           {"controller.keda.triggers"},
		"controller: {keda: {triggers: [{query: nginx_ingress_controller_nginx_process_requests_total}]}}":                       nil,
	} {
		got := reported(mustInstall(t, values))
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: reported (-want +got):\n%s", values, diff)
		}
	}
}

// All values of an ingress-nginx release, as they are by default, are taken, and
// only what the user would miss is told.
func TestIngressNginxDefaults(t *testing.T) {
	r, err := install(t, "testdata/cases/ingress-nginx-defaults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"controller.image", "global.image.registry", "controller.admissionWebhooks", "controller.lifecycle"}
	if diff := cmp.Diff(want, reported(r)); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
}

// otherValue is a value of the key's type that means something.
func otherValue(t *testing.T, schema map[string]any, key, onOff string, same []any) any {
	t.Helper()
	for part := range strings.SplitSeq(key, ".") {
		next, ok := schema["properties"].(map[string]any)[part].(map[string]any)
		if !ok {
			t.Fatalf("the schema has no %s", key)
		}
		schema = next
	}
	types, _ := schema["type"].([]any)
	switch {
	case onOff != "":
		return map[string]any{onOff: true}
	case slices.Contains(types, any("boolean")):
		return !slices.Contains(same, any(true))
	case slices.Contains(types, any("integer")):
		return 7
	case slices.Contains(types, any("array")):
		return []any{map[string]any{"a": "b"}}
	case slices.Contains(types, any("object")):
		return map[string]any{"a": "b"}
	}
	return "other"
}

// The table knows the flags without effect that the code has.
func TestFlagsWithoutEffect(t *testing.T) {
	_, section, _ := strings.Cut(readDocs(t), "Of ingress-nginx, and without effect:")
	section, _, _ = strings.Cut(section, "###")
	got := map[string][]string{}
	for flag, why := range readTable(t).Flags {
		got[flag] = slices.Sorted(slices.Values(why))
	}
	want := map[string][]string{}
	for _, m := range regexp.MustCompile("`--([a-z_-]+)` \\| (.*) \\|").FindAllStringSubmatch(section, -1) {
		kind := "no need"
		if strings.Contains(m[2], "not yet") && m[1] != "enable-metrics" {
			kind = "not yet"
		}
		want[kind] = append(want[kind], m[1])
	}
	for kind := range want {
		slices.Sort(want[kind])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files/ingress-nginx.yaml and docs/configuration.md differ (-docs +file):\n%s", diff)
	}
}

// The controller has every flag that the chart gives it, and every metric that an
// alert looks at.
func TestNamesExist(t *testing.T) {
	docs := readDocs(t)
	for name, file := range cases(t) {
		r, err := install(t, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, arg := range flags(t, r) {
			flag, _, _ := strings.Cut(arg, "=")
			if !strings.Contains(docs, "`"+flag+"`") {
				t.Errorf("%s: the controller has no flag %s", name, flag)
			}
		}
	}
	var alerts []struct{ Alert, Expr string }
	text, err := os.ReadFile(chart + "/files/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &alerts); err != nil || len(alerts) == 0 {
		t.Fatalf("no alerts (%v)", err)
	}
	for _, a := range alerts {
		metrics := regexp.MustCompile(`(sidegate|nginx_ingress_controller)_[a-z_]+`).FindAllString(a.Expr, -1)
		if len(metrics) == 0 {
			t.Errorf("%s looks at no metric of ours: %s", a.Alert, a.Expr)
		}
		for _, metric := range metrics {
			if !strings.Contains(docs, "`"+metric+"`") {
				t.Errorf("%s: there is no metric %s", a.Alert, metric)
			}
		}
	}
}

func readDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readSchema(t *testing.T) (out map[string]any) {
	t.Helper()
	readYAML(t, chart+"/values.schema.json", &out)
	return out
}

// The schema has every key of values.yaml, and besides only those that are
// reported, or that change nothing and are listed here.
func TestSchemaIsComplete(t *testing.T) {
	var values map[string]any
	readYAML(t, chart+"/values.yaml", &values)
	silent := map[string]bool{
		"enabled": true, "tags": true, // of a chart that has this one as a part
		"controller.shareProcessNamespace":          true,
		"controller.image.allowPrivilegeEscalation": true,
		"controller.image.readOnlyRootFilesystem":   true,
		"controller.image.digestChroot":             true,
		"controller.service.omitClusterIP":          true,
		"defaultBackend.service.omitClusterIP":      true,
		"defaultBackend.existingPsp":                true,
	}
	told := map[string]bool{}
	for _, row := range readTable(t).Values {
		told[row.Key] = true
	}
	known := map[string]bool{}
	walkSchema(readSchema(t), "", known)
	have := map[string]bool{}
	walkValues(values, "", have, known)
	for key := range have {
		if !known[key] {
			t.Errorf("values.yaml has %s, and the schema has not", key)
		}
	}
	for key := range known {
		if !have[key] && !told[key] && !silent[key] {
			t.Errorf("the schema has %s, which is in neither values.yaml nor files/ingress-nginx.yaml", key)
		}
	}
}

func walkSchema(schema map[string]any, prefix string, out map[string]bool) {
	properties, _ := schema["properties"].(map[string]any)
	for key, child := range properties {
		out[prefix+key] = true
		walkSchema(child.(map[string]any), prefix+key+".", out)
	}
}

// walkValues lists the keys down to the maps that are free.
func walkValues(values map[string]any, prefix string, out, known map[string]bool) {
	for key, child := range values {
		out[prefix+key] = true
		closed := slices.ContainsFunc(slices.Collect(maps.Keys(known)), func(k string) bool { return strings.HasPrefix(k, prefix+key+".") })
		if m, ok := child.(map[string]any); ok && closed {
			walkValues(m, prefix+key+".", out, known)
		}
	}
}

func merge(into, from map[string]any) {
	for key, value := range from {
		a, ok1 := into[key].(map[string]any)
		b, ok2 := value.(map[string]any)
		if ok1 && ok2 {
			merge(a, b)
			continue
		}
		into[key] = value
	}
}

func toYAML(t *testing.T, values any) string {
	t.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		t.Fatal(fmt.Errorf("%v: %w", values, err))
	}
	return string(text)
}
