package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Annotations by which containerd and docker name what they import.
const (
	containerdName = "io.containerd.image.name"
	ociName        = "org.opencontainers.image.ref.name"
)

// WriteArchive writes an image as a tar file that is two things at once: an OCI
// layout (index.json), which containerd takes, and what `docker save` writes
// (manifest.json), which every docker takes. Both name the same blobs.
func WriteArchive(w io.Writer, img v1.Image, tags ...string) error {
	if len(tags) == 0 {
		return fmt.Errorf("an archive needs a tag: what is imported without a name cannot be run")
	}
	var short []string
	descriptor, err := describe(img)
	if err != nil {
		return err
	}
	index := emptyIndex()
	for _, t := range tags {
		full, familiar, tag, err := parseTag(t)
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, named(descriptor, full, tag))
		short = append(short, familiar)
	}
	a := &archive{tw: tar.NewWriter(w), written: map[string]bool{}}
	docker, err := a.image(img)
	if err != nil {
		return err
	}
	docker.RepoTags = short
	manifest, err := json.Marshal(tarball.Manifest{docker})
	if err != nil {
		return err
	}
	if err := a.put("manifest.json", manifest); err != nil {
		return err
	}
	return a.finish(index)
}

// WriteIndexArchive writes images for several architectures under one name, as
// an OCI layout: what is copied to a registry. docker cannot load it.
func WriteIndexArchive(w io.Writer, tag string, images ...v1.Image) error {
	full, _, short, err := parseTag(tag)
	if err != nil {
		return err
	}
	a := &archive{tw: tar.NewWriter(w), written: map[string]bool{}}
	platforms := emptyIndex()
	seen := map[string]bool{}
	for _, img := range images {
		descriptor, err := describe(img)
		if err != nil {
			return err
		}
		platform := descriptor.Platform.String()
		if seen[platform] {
			return fmt.Errorf("two images are for %s, want one for each architecture", platform)
		}
		seen[platform] = true
		platforms.Manifests = append(platforms.Manifests, descriptor)
		if _, err := a.image(img); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(platforms)
	if err != nil {
		return err
	}
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if err := a.put(blobPath(digest), raw); err != nil {
		return err
	}
	index := emptyIndex()
	index.Manifests = append(index.Manifests, named(v1.Descriptor{MediaType: types.OCIImageIndex, Digest: digest, Size: size}, full, short))
	return a.finish(index)
}

func emptyIndex() v1.IndexManifest {
	return v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
}

// named adds the names by which containerd and docker import.
func named(d v1.Descriptor, full, tag string) v1.Descriptor {
	d.Annotations = map[string]string{containerdName: full, ociName: tag}
	return d
}

// describe is a descriptor that says the platform, by which a runtime chooses.
func describe(img v1.Image) (v1.Descriptor, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return v1.Descriptor{}, err
	}
	digest, err := img.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := img.Size()
	if err != nil {
		return v1.Descriptor{}, err
	}
	return v1.Descriptor{
		MediaType: types.OCIManifestSchema1, Digest: digest, Size: size,
		Platform: &v1.Platform{OS: config.OS, Architecture: config.Architecture},
	}, nil
}

// archive is a tar file of blobs that is being written.
type archive struct {
	tw      *tar.Writer
	written map[string]bool
}

func (a *archive) put(name string, content []byte) error {
	return a.copy(name, int64(len(content)), bytes.NewReader(content))
}

func (a *archive) copy(name string, size int64, r io.Reader) error {
	if a.written[name] {
		return nil
	}
	a.written[name] = true
	if err := a.tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatUSTAR}); err != nil {
		return err
	}
	_, err := io.Copy(a.tw, r)
	return err
}

func blobPath(h v1.Hash) string { return path.Join("blobs", h.Algorithm, h.Hex) }

// image writes the blobs of an image, and says where they are as docker does.
func (a *archive) image(img v1.Image) (tarball.Descriptor, error) {
	var out tarball.Descriptor
	config, err := img.RawConfigFile()
	if err != nil {
		return out, err
	}
	configName, err := img.ConfigName()
	if err != nil {
		return out, err
	}
	out.Config = blobPath(configName)
	if err := a.put(out.Config, config); err != nil {
		return out, err
	}
	layers, err := img.Layers()
	if err != nil {
		return out, err
	}
	for _, layer := range layers {
		name, err := a.layer(layer)
		if err != nil {
			return out, err
		}
		out.Layers = append(out.Layers, name)
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return out, err
	}
	digest, err := img.Digest()
	if err != nil {
		return out, err
	}
	return out, a.put(blobPath(digest), manifest)
}

func (a *archive) layer(layer v1.Layer) (string, error) {
	digest, err := layer.Digest()
	if err != nil {
		return "", err
	}
	size, err := layer.Size()
	if err != nil {
		return "", err
	}
	r, err := layer.Compressed()
	if err != nil {
		return "", err
	}
	defer r.Close()
	return blobPath(digest), a.copy(blobPath(digest), size, r)
}

// finish writes what makes the tar file an OCI layout, and ends it.
func (a *archive) finish(index v1.IndexManifest) error {
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := a.put("index.json", raw); err != nil {
		return err
	}
	if err := a.put("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	return a.tw.Close()
}
