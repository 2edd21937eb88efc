package translate

import "github.com/sidegate/sidegate/pkg/model"

// rewriteURI replaces the URI on its way to the backend.
func rewriteURI(_ *build, p *path, d *draft) {
	if !rewrites(p) {
		return
	}
	r := p.ingress.set.Rewrite
	d.pass.Rewrite = &model.Rewrite{
		Pattern:         "(?i)" + p.expression,
		Target:          *r.Target,
		ForwardedPrefix: r.ForwardedPrefix,
	}
}
