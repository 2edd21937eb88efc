package controller

import (
	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/translate"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Endpoints tells discovery the endpoints of a Service, in the time that it
// takes to write them down. It returns true when nginx cannot take them
// without a reload.
func (p *Pipeline) Endpoints(key types.NamespacedName, service *corev1.Service, slices []*discoveryv1.EndpointSlice) (needsRun bool) {
	c := p.State().Config
	if c == nil {
		return false // the first run tells all
	}
	for i := range c.Upstreams {
		u := &c.Upstreams[i]
		if serviceKey(u) != key {
			continue
		}
		p.Table.Set(records(u, service, slices))
		needsRun = needsRun || translate.NeedsSync(u, service, slices)
	}
	return needsRun
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
		if len(c.Upstreams[i].Resolvers) > 0 {
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
