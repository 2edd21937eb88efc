package translate

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// redirectClients sends clients to https, and elsewhere.
func redirectClients(b *build, p *path, d *draft) {
	d.toHTTPS = b.toHTTPS(p.host, p.text, p.ingress)
	if target := p.ingress.set.Redirect.Permanent; target != nil {
		d.answer = &model.Return{Code: 301, URL: *target}
	}
}

// toHTTPS returns the code with which requests for a path that did not come
// by https are redirected, or 0. The Ingress may be nil.
func (b *build) toHTTPS(h *host, path string, ing *ingress) int {
	for _, exempt := range b.settings.NoTLSRedirectLocations {
		if strings.HasPrefix(path, exempt) {
			return 0
		}
	}
	redirect, force := b.settings.SSLRedirect, b.settings.ForceSSLRedirect
	if ing != nil {
		if v := ing.set.Redirect.SSL; v != nil {
			redirect = *v
		}
		if v := ing.set.Redirect.ForceSSL; v != nil {
			force = *v
		}
	}
	if force || redirect && h.certificate {
		return b.settings.RedirectCode
	}
	return 0
}
