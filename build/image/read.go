package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

// ReadArchive reads an archive of WriteArchive. The image's blobs are laid out
// in dir, which must stay until the image is used no more. It is read as an
// OCI layout: read as docker's archive it has another manifest, and digest.
func ReadArchive(archive, dir string) (v1.Image, error) {
	img, err := readArchive(archive, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", archive, err)
	}
	return img, nil
}

func readArchive(archive, dir string) (v1.Image, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := layOut(f, dir); err != nil {
		return nil, err
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("no OCI layout: %w", err)
	}
	images, err := partial.FindImages(index, func(v1.Descriptor) bool { return true })
	if err != nil {
		return nil, err
	}
	// One image may have several names.
	if len(images) == 0 {
		return nil, fmt.Errorf("there is no image in it")
	}
	first, err := images[0].Digest()
	if err != nil {
		return nil, err
	}
	for _, img := range images[1:] {
		if d, err := img.Digest(); err != nil || d != first {
			return nil, fmt.Errorf("there is more than one image in it, want one")
		}
	}
	return images[0], nil
}

// layOut unpacks regular files, and none outside of dir.
func layOut(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(path.Dir(h.Name), 0o755); err != nil {
			return err
		}
		if err := copyTo(root, h.Name, tr); err != nil {
			return err
		}
	}
}

func copyTo(root *os.Root, name string, r io.Reader) error {
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return f.Close()
}
