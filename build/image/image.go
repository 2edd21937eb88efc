package image

import (
	"fmt"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// architectures are those for which Debian and Go both have a port and whose
// name is the same for Go and for images.
var architectures = []string{"amd64", "arm64", "ppc64le", "riscv64", "s390x"}

// Build makes the image of a spec.
func Build(spec *Spec) (v1.Image, error) {
	if !slices.Contains(architectures, spec.Architecture) {
		return nil, fmt.Errorf("architecture %q: want one of %s", spec.Architecture, strings.Join(architectures, ", "))
	}
	layers, err := spec.layers()
	if err != nil {
		return nil, err
	}
	created := v1.Time{Time: spec.Created.UTC()}
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	for _, l := range layers {
		layer, err := l.entries.layer()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.what, err)
		}
		img, err = mutate.Append(img, mutate.Addendum{
			Layer:   layer,
			History: v1.History{Created: created, CreatedBy: "mkimage", Comment: l.what},
		})
		if err != nil {
			return nil, err
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created, config.Config = "linux", spec.Architecture, created, spec.Config
	return mutate.ConfigFile(img, config)
}

// layerOf is one layer before it is written.
type layerOf struct {
	what    string
	entries entries
}

// layers are the root and the files, apart: the root stays when only the
// files change, and nobody fetches it again.
func (spec *Spec) layers() ([]layerOf, error) {
	root, files := entries{}, entries{}
	if spec.Root != "" {
		if err := root.addTree("/", spec.Root, 0, true); err != nil {
			return nil, fmt.Errorf("root: %w", err)
		}
	}
	for _, f := range spec.Files {
		if err := files.addTree(f.Destination, f.Source, f.Mode, false); err != nil {
			return nil, fmt.Errorf("file %s: %w", f.Destination, err)
		}
	}
	if err := spec.setCapabilities(root, files); err != nil {
		return nil, err
	}
	files.addParents()
	for name, e := range files {
		below, ok := root[name]
		if !ok || e.source != "" {
			continue
		}
		// The folder must keep its owner and mode, and stay one.
		if info, err := os.Lstat(below.source); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("a file goes below /%s, which is no folder in the root %s", name, spec.Root)
		}
		files[name] = below
	}
	var out []layerOf
	for _, l := range []layerOf{{"root file system", root}, {"files", files}} {
		if len(l.entries) > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// setCapabilities gives them to the entry that counts: of two layers with the
// same path it is the upper one's.
func (spec *Spec) setCapabilities(root, files entries) error {
	for file, text := range spec.Capabilities {
		packed, err := packCapability(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		set := false
		for _, layer := range []entries{files, root} {
			if e, ok := layer[strings.TrimPrefix(file, "/")]; ok && !set {
				e.capability, set = packed, true
				layer[e.destination] = e
			}
		}
		if !set {
			return fmt.Errorf("%s gets capabilities, and there is no such file in the image", file)
		}
	}
	return nil
}
