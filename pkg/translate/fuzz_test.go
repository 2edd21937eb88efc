package translate_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/settings"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"github.com/tufanbarisyildirim/gonginx/config"
	"github.com/tufanbarisyildirim/gonginx/parser"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// hostile are values that would break out of their place.
var hostile = []string{
	`"`, `'`, `\`, `;`, `{`, `}`, "\n", "\r", "\x00", "$", "$host", "${host}", "#", " ", "\t", "\xff\xfe", "é",
	`/a"; return 200 "x`, `/a; } location / { return 200`, `/a\`, `/a\"`, `/a' b`, "/a\nreturn 200;", "/(", "/)", "/[", "/(?<n>x)", "/a{1", "~ /x", "= /x", "@x", "off", "on", "",
	`foo.bar.com; return 200`, `http://x/"; return 200 "`, `http://$host/`, `https://a.b/$request_uri`, "8k; return 200", "1m", "../../x", "default/x", strings.Repeat("/a", 1<<19),
}

// FuzzShape puts a value into every field that reaches the configuration. An
// independent parser reads what comes out: the tree has the shape that the
// same model has with harmless values.
func FuzzShape(f *testing.F) {
	for _, v := range hostile {
		f.Add(v, v, v)
	}
	f.Add("foo.bar.com", "/foo(/|$)(.*)", "/$2")
	f.Add("*.bar.com", "/a b", "https://a.b/c?d=$request_uri")
	f.Fuzz(func(t *testing.T, host, path, value string) {
		checkShape(t, fuzzSnapshot(host, path, value))
	})
}

// TestHostileValues is the fuzz test's corpus in every single field, so that
// one refused value does not hide what another would do.
func TestHostileValues(t *testing.T) {
	for _, v := range hostile {
		checkShape(t, fuzzSnapshot(v, "/", ""))
		checkShape(t, fuzzSnapshot("foo.bar.com", v, ""))
		if len(v) > 1<<16 {
			continue // once is enough for the time that it takes
		}
		for _, row := range annotations.Table() {
			if row.Support != annotations.Supported && row.Support != annotations.Partly {
				continue
			}
			s := fuzzSnapshot("foo.bar.com", "/app", "")
			s.Ingresses[0].Annotations = map[string]string{annotations.DefaultPrefix + "/" + row.Name: v}
			checkShape(t, s)
		}
		for _, row := range settings.Table() {
			if row.Support != settings.Supported {
				continue
			}
			s := fuzzSnapshot("foo.bar.com", "/app", "")
			s.ConfigMap.Data = map[string]string{row.Name: v}
			checkShape(t, s)
		}
	}
}

// fuzzSnapshot has the values wherever a user can put one, and an Ingress of
// somebody else.
func fuzzSnapshot(host, path, value string) *snapshot.Snapshot {
	all := map[string]string{}
	for _, row := range annotations.Table() {
		all[annotations.DefaultPrefix+"/"+row.Name] = value
	}
	delete(all, annotations.DefaultPrefix+"/session-cookie-learn") // it hides the other cookies
	data := map[string]string{}
	for _, row := range settings.Table() {
		data[row.Name] = value
	}
	if value == "" {
		all, data = nil, nil
	}
	ing := func(name, host, path string, all map[string]string) *networkingv1.Ingress {
		return &networkingv1.Ingress{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: all},
			Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{
					{Path: path, PathType: ptr.To(networkingv1.PathTypePrefix), Backend: networkingv1.IngressBackend{
						Service: &networkingv1.IngressServiceBackend{Name: "echo", Port: networkingv1.ServiceBackendPort{Number: 80}}}},
					{Path: path, PathType: ptr.To(networkingv1.PathTypeExact), Backend: networkingv1.IngressBackend{
						Service: &networkingv1.IngressServiceBackend{Name: "external", Port: networkingv1.ServiceBackendPort{Number: 80}}}},
					{Path: "/hostile", PathType: ptr.To(networkingv1.PathTypeExact), Backend: networkingv1.IngressBackend{
						Service: &networkingv1.IngressServiceBackend{Name: value, Port: networkingv1.ServiceBackendPort{Name: value}}}},
				}},
			}}}},
		}
	}
	key := func(name string) types.NamespacedName {
		return types.NamespacedName{Namespace: "default", Name: name}
	}
	return &snapshot.Snapshot{
		Time:      time.Unix(0, 0),
		Ingresses: []*networkingv1.Ingress{ing("hostile", host, path, all), ing("other", "other.bar.com", "/", nil)},
		Services: map[types.NamespacedName]*corev1.Service{
			key("echo"):     {Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: value, Port: 80}}}},
			key("external"): {Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: value}},
			key(value):      {Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: value, Port: 80}}}},
		},
		EndpointSlices: map[types.NamespacedName][]*discoveryv1.EndpointSlice{
			key("echo"): {{AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &value, Port: ptr.To[int32](8080)}},
				Endpoints: []discoveryv1.Endpoint{{Addresses: []string{value}}, {Addresses: []string{"10.0.0.1"}}}}},
		},
		Secrets: map[types.NamespacedName]*corev1.Secret{
			key(value): {Data: map[string][]byte{"auth": []byte(value), "tls.crt": []byte(value), "tls.key": []byte(value)}},
		},
		ConfigMap: &corev1.ConfigMap{Data: data},
	}
}

func checkShape(t *testing.T, s *snapshot.Snapshot) {
	t.Helper()
	out := newTranslator().Translate(translate.Input{Snapshot: s})
	served := false
	for _, server := range out.Config.Servers {
		served = served || server.Name == "other.bar.com" && server.Locations[0].Pass() != nil
	}
	if !served && s.Services[types.NamespacedName{Namespace: "default", Name: "echo"}].Spec.Ports[0].Name == "" {
		t.Errorf("the other Ingress is not served: %v", out.Findings)
	}
	laid := layout.Of(out.Config)
	got := shape(t, laid)
	tame(reflect.ValueOf(laid).Elem(), "")
	if want := shape(t, laid); got != want {
		t.Errorf("the tree has another shape than the model (-model +text):\n%s", cmp.Diff(want, got))
	}
}

// sharedRenderer spares thousands of parses of the templates.
var sharedRenderer = sync.OnceValues(func() (*render.Renderer, error) { return render.New(nil) })

// shape is the tree of directives and how many parameters each has.
func shape(t *testing.T, c *layout.Config) string {
	t.Helper()
	renderer, err := sharedRenderer()
	if err != nil {
		t.Fatal(err)
	}
	result, err := renderer.Render(c)
	if err != nil {
		t.Fatalf("it cannot be rendered: %v", err)
	}
	// The parser takes the quote behind an escaped backslash for an escaped
	// one, which nginx does not.
	text := strings.ReplaceAll(string(result.Text), `\\`, "__")
	parsed, err := parser.NewStringParser(text, parser.WithSkipValidDirectivesErr()).Parse()
	if err != nil {
		t.Fatalf("an independent parser cannot read it: %v\n%s", err, result.Text)
	}
	var b strings.Builder
	var walk func(config.IBlock, int)
	walk = func(block config.IBlock, depth int) {
		for _, d := range block.GetDirectives() {
			fmt.Fprintf(&b, "%s%s %d\n", strings.Repeat(" ", depth), d.GetName(), len(d.GetParameters()))
			if inner := d.GetBlock(); inner != nil {
				walk(inner, depth+1)
			}
		}
	}
	walk(parsed, 0)
	return b.String()
}

// tame replaces all text of a model by harmless text of the same meaning to
// the templates.
func tame(v reflect.Value, field string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			tame(v.Elem(), field)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				tame(v.Field(i), v.Type().Field(i).Name)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			tame(v.Index(i), field)
		}
	case reflect.String:
		switch v.Interface().(type) {
		case model.Path, model.Regex, model.Expr, string:
			if v.String() != "" && v.String() != model.CatchAll && v.CanSet() {
				v.SetString("x")
			}
		}
	}
}
