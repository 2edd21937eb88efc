package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sidegate/sidegate/build/image"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: mkindex NAME:TAG ARCHIVE... >FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "mkindex:", err)
		os.Exit(1)
	}
}

func run(tag string, archives []string) error {
	dir, err := os.MkdirTemp("", "mkindex-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var images []v1.Image
	for i, archive := range archives {
		sub := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(sub, 0o700); err != nil {
			return err
		}
		img, err := image.ReadArchive(archive, sub)
		if err != nil {
			return err
		}
		images = append(images, img)
	}
	return image.WriteIndexArchive(os.Stdout, tag, images...)
}
