package translate

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
)

// askForPassword asks for a name and a password. A Secret that cannot be used
// closes the location.
func askForPassword(b *build, p *path, l *model.Location) {
	a := p.ingress.set.Auth
	if a.Type == "" {
		return
	}
	closed := func(format string, args ...any) {
		l.Closed = "basic authentication cannot be set up"
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
	read, suffix := usersFile, ".htpasswd"
	if a.SecretType == annotations.AuthMap {
		read, suffix = usersMap, ".map.htpasswd"
	}
	users, fault := read(secret)
	if fault != "" {
		closed("the Secret %s of auth-secret %s", ref, fault)
		return
	}
	file := model.Ident(ref.Namespace + "." + ref.Name + suffix)
	b.files[file] = users
	l.BasicAuth = &model.BasicAuth{Realm: a.Realm, File: file}
}

// maxUsers bounds a file that nginx reads at every request.
const maxUsers = 1 << 20

// usersFile takes the users from the key "auth", an htpasswd file.
func usersFile(secret *corev1.Secret) (model.Redacted, string) {
	data, ok := secret.Data["auth"]
	switch {
	case !ok:
		return nil, "must hold the users under the key auth"
	case len(data) > maxUsers:
		return nil, "must hold at most 1 MiB of users"
	}
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name, hash, ok := strings.Cut(string(line), ":")
		if !ok || !validUser(name, hash) {
			return nil, "must hold lines of NAME:HASH under the key auth"
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	if out.Len() == 0 {
		return nil, "must hold at least one user"
	}
	return out.Bytes(), ""
}

// usersMap takes each key as a user and its value as the hash.
func usersMap(secret *corev1.Secret) (model.Redacted, string) {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(secret.Data)) {
		hash := strings.TrimSpace(string(secret.Data[name]))
		if !validUser(name, hash) {
			return nil, "must hold a hash of a password for each user"
		}
		out.WriteString(name + ":" + hash + "\n")
	}
	switch {
	case out.Len() == 0:
		return nil, "must hold at least one user"
	case out.Len() > maxUsers:
		return nil, "must hold at most 1 MiB of users"
	}
	return out.Bytes(), ""
}

// validUser keeps a user to one line. An empty hash would let nginx compare
// with nothing.
func validUser(name, hash string) bool {
	return name != "" && hash != "" && !strings.ContainsAny(name+hash, "\n\r\x00")
}

// closeUnguarded closes a location that an annotation, or a key of the
// ConfigMap, was to guard which cannot be used.
func closeUnguarded(b *build, p *path, l *model.Location) {
	switch {
	case l.Closed != "":
	case p.ingress.set.Unguarded != "":
		l.Closed = "the annotation " + p.ingress.set.Unguarded + " cannot be used"
	case b.settings.Unguarded != "":
		l.Closed = "the key " + b.settings.Unguarded + " of the ConfigMap cannot be used"
	}
}
