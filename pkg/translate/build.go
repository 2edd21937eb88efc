package translate

import (
	"fmt"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/settings"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// build is one translation under way. Processors read what earlier ones left
// here and leave something for later ones.
type build struct {
	Input
	options  Options
	memo     *memo
	settings settings.Settings

	// ingresses are in the order of precedence.
	ingresses []*ingress
	// hosts are listed by name; the catch-all is one of them.
	hosts map[string]*host
	// backends are the upstreams of Service ports, without settings; upstreams
	// are those that locations need, and like files collected by name.
	backends  map[model.Backend]*model.Upstream
	upstreams map[model.Ident]*model.Upstream
	// endpoints counts those of a Service port, where nginx looks them up.
	endpoints map[model.Backend]int
	// cookies are those of a Service port.
	cookies map[model.Backend]map[string]bool
	// previous are upstreams of Previous; nil before somebody asks.
	previous map[model.Backend]*model.Upstream
	files    map[model.Ident]model.Redacted
	// resolvesIPv6 says that some endpoint has no IPv4 address.
	resolvesIPv6 bool

	config   *model.Config
	findings []model.Finding
}

// ingress is an Ingress and what its annotations say.
type ingress struct {
	*networkingv1.Ingress
	object model.Object
	set    *annotations.Set
	// closed says why its locations must be closed, closedHost why its hosts
	// must.
	closed, closedHost string
	tls                *tlsSections
	// looked is how many steps its expressions have cost that were looked at.
	looked int
}

// host is what becomes a server.
type host struct {
	name string
	// ingresses name the host, in the order of precedence.
	ingresses []*ingress
	// paths are the paths that won, in the order of precedence.
	paths []*path
	// regex says that all paths are regular expressions.
	regex bool
	// certificate says that a certificate of an Ingress answers for it.
	certificate bool
	// fallback serves what no path matches; nil is the default backend.
	fallback *path
	// closed says why the whole of it must be closed, closedTo why the locations
	// of a namespace must.
	closed   string
	closedTo map[string]string
	// unread says of Ingresses which path of theirs, that was to be guarded, has
	// no location.
	unread map[*ingress]string
}

// path is a path of a rule.
type path struct {
	ingress *ingress
	host    *host
	text    string
	kind    networkingv1.PathType
	backend networkingv1.IngressBackend
	// field is where it stands in the Ingress.
	field   string
	matches []model.Match
	// expression is the path as a regular expression, on a host whose paths are.
	expression model.Regex
	// plain matches the path letter by letter, where expression may not.
	plain model.Regex
	// rivals are other Ingresses that claim the same.
	rivals []model.Rival
}

// report adds a finding.
func (b *build) report(object model.Object, severity model.Severity, reason, field, value, format string, args ...any) {
	b.findings = append(b.findings, model.Finding{
		Object: object, Severity: severity, Reason: reason,
		Field: field, Value: model.Clip(value), Message: fmt.Sprintf(format, args...),
	})
}

// Translate decides. It keeps nothing of the input but through its result.
func (t *Translator) Translate(in Input) Output {
	t.memo.begin()
	defer t.memo.end()
	b := &build{
		Input: in, options: t.options, memo: &t.memo,
		hosts:     map[string]*host{},
		backends:  map[model.Backend]*model.Upstream{},
		upstreams: map[model.Ident]*model.Upstream{},
		endpoints: map[model.Backend]int{},
		cookies:   map[model.Backend]map[string]bool{},
		files:     map[model.Ident]model.Redacted{},
		config:    &model.Config{},
	}
	for _, p := range processors {
		p.run(b)
	}
	return Output{Config: b.config, Findings: summed(b.findings)}
}

// local names an object in the namespace of the Ingress.
func (i *ingress) local(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: i.Namespace, Name: name}
}
