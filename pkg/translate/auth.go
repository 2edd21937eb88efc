package translate

import (
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
)

// askForPassword asks for a name and a password. A Secret that cannot be used
// closes the location.
func askForPassword(b *build, p *path, d *draft) {
	a := p.ingress.set.Auth
	if a.Type == "" {
		return
	}
	closed := func(format string, args ...any) {
		d.close("basic authentication cannot be set up")
		b.report(p.ingress.object, model.Error, model.ReasonLocationClosed, "metadata.annotations", a.Secret,
			format+"; the location answers 503 and is not open", args...)
	}
	if a.Secret == "" {
		closed("auth-type asks for basic authentication, but there is no usable auth-secret")
		return
	}
	ref := annotations.Resolve(p.ingress.Namespace, a.Secret)
	if ref.Namespace != p.ingress.Namespace {
		closed("auth-secret must name a Secret in the namespace %s, not in %s", p.ingress.Namespace, ref.Namespace)
		return
	}
	secret, fault := b.Snapshot.Secret(ref)
	if secret == nil {
		closed("the Secret %s of auth-secret %s", ref, fault)
		return
	}
	read, kind := usersFile, passwordFile
	if a.SecretType == annotations.AuthMap {
		read, kind = usersMap, passwordMapFile
	}
	users := b.users(secret, kind, read)
	if users.fault != "" {
		closed("the Secret %s of auth-secret %s", ref, users.fault)
		return
	}
	for _, left := range users.left {
		b.report(p.ingress.object, model.Error, model.ReasonUserLeftOut, "metadata.annotations", a.Secret,
			"in the Secret %s, %s; this user alone cannot come in", ref, left)
	}
	if users.more > 0 {
		b.report(p.ingress.object, model.Error, model.ReasonUserLeftOut, "metadata.annotations", a.Secret,
			"%d more users of the Secret %s cannot come in", users.more, ref)
	}
	file := secretFile(ref, kind)
	b.files[file] = users.file
	d.basic = &model.BasicAuth{Realm: a.Realm, File: file}
}
