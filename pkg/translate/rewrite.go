package translate

import "github.com/sidegate/sidegate/pkg/model"

// rewriteURI replaces the URI on its way to the backend.
func rewriteURI(_ *build, p *path, l *model.Location) {
	if !rewrites(p) {
		return
	}
	r := p.ingress.set.Rewrite
	l.Rewrite = &model.Rewrite{
		Pattern:         "(?i)" + p.expression,
		Target:          *r.Target,
		ForwardedPrefix: r.ForwardedPrefix,
	}
	l.OwnRetry = l.OwnRetry || r.ForwardedPrefix != nil
}
