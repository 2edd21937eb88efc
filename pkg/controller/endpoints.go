package controller

import (
	"slices"
	"sync"

	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/translate"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
)

// backends finds the upstreams of a configuration by their Service.
type backends map[types.NamespacedName][]*model.Upstream

func newBackends(c *model.Config) backends {
	out := make(backends, len(c.Upstreams))
	for i := range c.Upstreams {
		u := &c.Upstreams[i]
		key := serviceKey(u)
		out[key] = append(out[key], u)
	}
	return out
}

// backend is a Service and its endpoints; the Service is nil where there is
// none.
type backend struct {
	service *corev1.Service
	slices  []*discoveryv1.EndpointSlice
}

// endpointWriter writes endpoints down for discovery, for every configuration
// that nginx serves or may come to serve.
type endpointWriter struct {
	mu sync.Mutex
	// recent are those that came while a run is under way; nil means that none
	// is.
	recent map[types.NamespacedName]backend
	// attempted is the configuration that was tried last.
	attempted *model.Config
	// indexes are made once for each configuration.
	indexes map[*model.Config]backends
}

// configs are the configurations whose endpoints are kept up to date: the one
// that is live, and the one that was tried last.
func (p *Pipeline) configs() []*model.Config {
	out := p.State().configs()
	if a := p.endpoints.attempted; a != nil && !slices.Contains(out, a) {
		out = append(out, a)
	}
	return out
}

// backends are the indexes of all configs, and forgets those of others.
func (p *Pipeline) backends() []backends {
	configs := p.configs()
	indexes := make(map[*model.Config]backends, len(configs))
	out := make([]backends, len(configs))
	for i, c := range configs {
		index, ok := p.endpoints.indexes[c]
		if !ok {
			index = newBackends(c)
		}
		indexes[c], out[i] = index, index
	}
	p.endpoints.indexes = indexes
	return out
}

// Endpoints lets discovery know the endpoints of a Service, in the time that
// it takes to write them down. It returns true when nginx cannot take them
// without a reload.
func (p *Pipeline) Endpoints(key types.NamespacedName, service *corev1.Service, slices []*discoveryv1.EndpointSlice) (needsRun bool) {
	p.endpoints.mu.Lock()
	defer p.endpoints.mu.Unlock()
	if p.endpoints.recent != nil {
		p.endpoints.recent[key] = backend{service, slices}
	}
	return p.writeEndpoints(key, backend{service, slices})
}

// rememberEndpoints begins to remember what Endpoints is called with: a run
// that is under way has a snapshot of before, and its upstreams are not known
// yet.
func (p *Pipeline) rememberEndpoints() {
	p.endpoints.mu.Lock()
	defer p.endpoints.mu.Unlock()
	p.endpoints.recent = map[types.NamespacedName]backend{}
}

// attemptEndpoints lets discovery know all endpoints of a configuration before
// nginx asks for them.
func (p *Pipeline) attemptEndpoints(a *attempt) {
	p.endpoints.mu.Lock()
	defer p.endpoints.mu.Unlock()
	p.endpoints.attempted = a.output.Config
	p.Table.SetOutside(outside(p.configs()...))
	for i := range a.output.Config.Upstreams {
		u := &a.output.Config.Upstreams[i]
		key := serviceKey(u)
		b, newer := p.endpoints.recent[key]
		if !newer {
			b = backend{a.snapshot.Services[key], a.snapshot.EndpointSlices[key]}
		}
		p.Table.Set(records(u, b))
	}
	p.Table.MarkSynced()
}

// writeRecentEndpoints writes down what has come during a run, and asks for
// another run where nginx cannot take it without.
func (p *Pipeline) writeRecentEndpoints() {
	p.endpoints.mu.Lock()
	defer p.endpoints.mu.Unlock()
	for key, b := range p.endpoints.recent {
		if p.writeEndpoints(key, b) && p.Again != nil {
			p.Again("endpoints of Service " + key.String())
		}
	}
	p.endpoints.recent = nil
}

func (p *Pipeline) writeEndpoints(key types.NamespacedName, b backend) (needsRun bool) {
	for _, index := range p.backends() {
		for _, u := range index[key] {
			p.Table.Set(records(u, b))
			needsRun = needsRun || translate.NeedsSync(u, b.service, b.slices)
		}
	}
	return needsRun
}

// outside lists the names that nginx asks for besides those of endpoints, with
// what runs and with what is to run.
func outside(configs ...*model.Config) map[string]discovery.Outside {
	out := map[string]discovery.Outside{}
	for asked, o := range translate.Outside(configs...) {
		out[asked] = discovery.Outside{Name: o.Name, Port: o.Port}
	}
	return out
}

func serviceKey(u *model.Upstream) types.NamespacedName {
	return types.NamespacedName{Namespace: u.Backend.Namespace, Name: u.Backend.Service}
}

func records(u *model.Upstream, b backend) map[string]discovery.Record {
	out := map[string]discovery.Record{}
	for name, r := range translate.Records(u, b.service, b.slices) {
		out[name] = discovery.Record(r)
	}
	return out
}

// serverNames are the names that nginx asks discovery for.
func serverNames(c *model.Config) []string {
	var out []string
	for i := range c.Upstreams {
		if c.Upstreams[i].Outside != nil {
			continue
		}
		for _, s := range c.Upstreams[i].Servers {
			if s.Resolve {
				out = append(out, string(s.Host))
			}
		}
	}
	return out
}
