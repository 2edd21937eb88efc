package walkthrough

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// Directory is a directory of manifests that a `sidegate serve` watches: where
// the objects are when there is no cluster.
type Directory string

// apply copies manifests into the directory. One takes the place of another of
// the same step, which has the same objects.
func (d Directory) apply(files fs.FS, name string) (did string, err error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return "", err
	}
	if there, err := os.ReadFile(filepath.Join(string(d), name)); err == nil && bytes.Equal(there, text) {
		return name + " is there already", nil
	}
	step, _, _ := strings.Cut(name, "-")
	others, err := filepath.Glob(filepath.Join(string(d), step+"-*.yaml"))
	if err != nil {
		return "", err
	}
	did = fmt.Sprintf("cp examples/walkthrough/%s %s", name, d)
	for _, other := range others {
		if filepath.Base(other) == name {
			continue
		}
		if err := os.Remove(other); err != nil {
			return "", err
		}
		did = fmt.Sprintf("rm %s; %s", other, did)
	}
	return did, d.write(name, text)
}

// put writes a Secret as a manifest.
func (d Directory) put(secret *corev1.Secret) error {
	secret.TypeMeta.APIVersion, secret.TypeMeta.Kind = "v1", "Secret"
	text, err := yaml.Marshal(secret)
	if err != nil {
		return err
	}
	return d.write(secretFile(secret), text)
}

func (d Directory) has(secret *corev1.Secret) bool {
	_, err := os.Stat(filepath.Join(string(d), secretFile(secret)))
	return !errors.Is(err, fs.ErrNotExist)
}

func secretFile(secret *corev1.Secret) string { return "secret-" + secret.Name + ".yaml" }

// write replaces a file in one step, so that half of it is never read.
func (d Directory) write(name string, text []byte) error {
	file := filepath.Join(string(d), name)
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
