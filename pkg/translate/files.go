package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
	"k8s.io/apimachinery/pkg/types"
)

// kindOfFile is what a live file holds, and how its name ends.
type kindOfFile string

// The kinds. A Secret may be used as several.
const (
	certificateFile kindOfFile = ".pem"
	passwordFile    kindOfFile = ".htpasswd"
	passwordMapFile kindOfFile = ".map.htpasswd"
)

// secretFile names the live file of a Secret. A Secret's name may be as long as
// a file's, and may end like a kind, so the name's beginning only serves who
// reads it: the hash tells files apart. It comes after the namespace, which has
// no dot, so that nobody can look for a name that meets another namespace's.
func secretFile(ref types.NamespacedName, kind kindOfFile) model.Ident {
	sum := sha256.Sum256([]byte(string(kind) + "\n" + ref.Namespace + "\n" + ref.Name))
	return model.Ident(readable(ref.Namespace, 63) + "." + hex.EncodeToString(sum[:10]) + "." + readable(ref.Name, 60) + string(kind))
}

// readable keeps the first n characters that may stand in a file's name.
func readable(s string, n int) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		}
		return '_'
	}, s[:min(len(s), n)])
}
