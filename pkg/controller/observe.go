package controller

import (
	"context"
	"net/netip"

	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/translate"
)

// published is what a scrape of the metrics sees.
func (c *Core) published() metrics.State {
	p := c.Pipeline
	s := p.State()
	out := metrics.State{Config: s.Config(), Findings: s.Findings}
	endpoints := map[string][]netip.Addr{}
	for _, s := range p.Table.States() {
		endpoints[s.Name] = s.Addresses
		out.Endpoints += len(s.Addresses)
	}
	if out.Config != nil {
		out.Fullest, out.Orphans = fullest(out.Config, endpoints), orphans(out.Config, endpoints)
	}
	return out
}

func (c *Core) questions() metrics.Questions {
	s := c.Server
	return metrics.Questions{Answered: s.Answered.Load(), Empty: s.Empty.Load(), Refused: s.Refused.Load()}
}

// fullest is how full the fullest zone is.
func fullest(c *model.Config, endpoints map[string][]netip.Addr) (ratio float64) {
	for i := range c.Upstreams {
		u := &c.Upstreams[i]
		if capacity := translate.Capacity(u.Zone); capacity > 0 {
			ratio = max(ratio, float64(count(u, endpoints))/float64(capacity))
		}
	}
	return ratio
}

func count(u *model.Upstream, endpoints map[string][]netip.Addr) (n int) {
	for _, s := range u.Servers {
		n += len(endpoints[string(s.Host)])
	}
	return n
}

// orphans are the Ingresses with a path that has nobody to answer. Names that
// others resolve are not ours to judge.
func orphans(c *model.Config, endpoints map[string][]netip.Addr) map[metrics.Orphan]bool {
	out := map[metrics.Orphan]bool{}
	for i := range c.Servers {
		for j := range c.Servers[i].Locations {
			l := &c.Servers[i].Locations[j]
			o := metrics.Orphan{Namespace: l.Claim.Object.Namespace, Ingress: l.Claim.Object.Name}
			if o.Ingress == "" {
				continue
			}
			var u *model.Upstream
			if p := l.Pass(); p != nil {
				u = c.Upstream(p.Upstream)
			}
			switch closed := l.Closed(); {
			case closed != nil && closed.NoService:
				o.Type = metrics.NoService
			case u != nil && u.Outside == nil && u.Servers[0].Resolve && count(u, endpoints) == 0:
				o.Type = metrics.NoEndpoint
			default:
				continue
			}
			out[o] = true
		}
	}
	return out
}

// compareVersions looks whether the nginx that runs is the one that tests: what
// one of them accepts the other may refuse.
func (c *Core) compareVersions(ctx context.Context) {
	runs, err := c.Pipeline.Nginx.Version(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.Log.Error(err, "the version of the running nginx cannot be told, or is not accepted")
		}
		return
	}
	c.Pipeline.Metrics.Nginx(metrics.Runs, runs)
	if runs != c.tests {
		c.Log.Info("the nginx that runs has another version than the one that tests configurations; give both containers the same image",
			"runs", runs.String(), "tests", c.tests.String())
	}
}
