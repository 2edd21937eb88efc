package controller

import (
	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/translate"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
)

// told is what Endpoints was called with.
type told struct {
	service *corev1.Service
	slices  []*discoveryv1.EndpointSlice
}

// Endpoints tells discovery the endpoints of a Service, in the time that it
// takes to write them down. It returns true when nginx cannot take them
// without a reload.
func (p *Pipeline) Endpoints(key types.NamespacedName, service *corev1.Service, slices []*discoveryv1.EndpointSlice) (needsRun bool) {
	p.endpoints.Lock()
	defer p.endpoints.Unlock()
	if p.late != nil {
		p.late[key] = told{service, slices}
	}
	return p.endpointsOf(key, told{service, slices})
}

// collect begins to remember what Endpoints is called with: a run that is
// under way has a snapshot of before, and its upstreams are not known yet.
func (p *Pipeline) collect() {
	p.endpoints.Lock()
	defer p.endpoints.Unlock()
	p.late = map[types.NamespacedName]told{}
}

// tell lets discovery know all endpoints before nginx asks for them.
func (p *Pipeline) tell(a *attempt) {
	p.endpoints.Lock()
	defer p.endpoints.Unlock()
	c := a.output.Config
	p.Table.SetOutside(outside(p.State().Config, c))
	for i := range c.Upstreams {
		u := &c.Upstreams[i]
		key := serviceKey(u)
		t, newer := p.late[key]
		if !newer {
			t = told{a.snapshot.Services[key], a.snapshot.EndpointSlices[key]}
		}
		p.Table.Set(records(u, t.service, t.slices))
	}
	p.Table.MarkSynced()
}

// catchUp writes down what has been collected, and asks for another run where
// nginx cannot take it without.
func (p *Pipeline) catchUp() {
	p.endpoints.Lock()
	defer p.endpoints.Unlock()
	for key, t := range p.late {
		if p.endpointsOf(key, t) && p.Again != nil {
			p.Again("endpoints of Service " + key.String())
		}
	}
	p.late = nil
}

func (p *Pipeline) endpointsOf(key types.NamespacedName, t told) (needsRun bool) {
	c := p.State().Config
	if c == nil {
		return false // the first run tells all
	}
	for i := range c.Upstreams {
		u := &c.Upstreams[i]
		if serviceKey(u) != key {
			continue
		}
		p.Table.Set(records(u, t.service, t.slices))
		needsRun = needsRun || translate.NeedsSync(u, t.service, t.slices)
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

func records(u *model.Upstream, service *corev1.Service, slices []*discoveryv1.EndpointSlice) map[string]discovery.Record {
	out := map[string]discovery.Record{}
	for name, r := range translate.Records(u, service, slices) {
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
