package translate

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
)

// maxUsers bounds a file that nginx reads at every request.
const maxUsers = 1 << 20

// users reads the users of a Secret once for each of its versions: it may hold
// many, and many paths may name it.
func (b *build) users(secret *corev1.Secret, kind kindOfFile, read func(*corev1.Secret) users) users {
	current, old := b.memo.passwordFiles, b.memo.oldPasswordFiles
	if kind == passwordMapFile {
		current, old = b.memo.passwordMaps, b.memo.oldPasswordMaps
	}
	return recall(current, old, secret, func() users { return read(secret) })
}

// users are the users of a Secret.
type users struct {
	// file is what nginx reads.
	file model.Redacted
	// fault says why there is no usable user.
	fault string
	// left says which users cannot come in, and why; more counts those that are
	// not listed there.
	left []string
	more int
}

// add adds a user, unless nginx could not tell that the password is right, or
// only at a cost that others would pay for. That user alone is left out.
func (u *users) add(name, hash, where string) {
	// nginx takes what stands behind a second colon for a comment.
	hash, _, _ = strings.Cut(hash, ":")
	fault := passwordFault(hash)
	switch {
	case name == "":
		fault = "has no name"
	case len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		fault = "has a name that is longer than 255 bytes or holds a control character"
	}
	switch {
	case fault == "":
	case len(u.left) < maxFindings:
		u.left = append(u.left, where+" "+fault)
		return
	default:
		u.more++
		return
	}
	u.file = append(u.file, name+":"+hash+"\n"...)
}

// usersFile takes the users from the key "auth", an htpasswd file.
func usersFile(secret *corev1.Secret) users {
	data, ok := secret.Data["auth"]
	switch {
	case !ok:
		return users{fault: "must hold the users under the key auth"}
	case len(data) > maxUsers:
		return users{fault: "must hold at most 1 MiB of users"}
	}
	var out users
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name, hash, _ := strings.Cut(string(line), ":")
		out.add(name, hash, fmt.Sprintf("line %d of the key auth", n))
	}
	return out.checked()
}

// usersMap takes each key as a user and its value as the hash.
func usersMap(secret *corev1.Secret) users {
	var out users
	for _, name := range slices.Sorted(maps.Keys(secret.Data)) {
		out.add(name, strings.TrimSpace(string(secret.Data[name])), "the key "+model.Clip(name))
	}
	if len(out.file) > maxUsers {
		return users{fault: "must hold at most 1 MiB of users"}
	}
	return out.checked()
}

// checked says what is wrong where there is no user.
func (u users) checked() users {
	switch {
	case len(u.file) > 0:
	case len(u.left) > 0:
		u.fault = "must hold at least one user with a usable hash (" + u.left[0] + ")"
	default:
		u.fault = "must hold at least one user"
	}
	return u
}
