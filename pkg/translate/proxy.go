package translate

import "github.com/sidegate/sidegate/pkg/model"

// tuneProxy sets what the Ingress wants otherwise than the ConfigMap.
func tuneProxy(b *build, p *path, d *draft) {
	want, common := p.ingress.set.Proxy.Proxy, b.config.HTTP.Proxy
	d.pass.Proxy = model.Proxy{
		ConnectTimeout: differing(want.ConnectTimeout, common.ConnectTimeout),
		SendTimeout:    differing(want.SendTimeout, common.SendTimeout),
		ReadTimeout:    differing(want.ReadTimeout, common.ReadTimeout),
		BodySize:       differing(want.BodySize, common.BodySize),
	}
	d.pass.Host = p.ingress.set.Proxy.Host
}

// differing returns want where it is there and not what is common anyway.
func differing[T comparable](want, common *T) *T {
	if want == nil || common != nil && *want == *common {
		return nil
	}
	return want
}
