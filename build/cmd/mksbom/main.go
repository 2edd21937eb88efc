package main

import (
	"fmt"
	"os"

	"github.com/sidegate/sidegate/build/image"
	"github.com/sidegate/sidegate/build/sbom"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: mksbom ARCHIVE NAME >FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "mksbom:", err)
		os.Exit(1)
	}
}

func run(archive, name string) error {
	dir, err := os.MkdirTemp("", "mksbom-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	img, err := image.ReadArchive(archive, dir)
	if err != nil {
		return err
	}
	bom, err := sbom.Of(img, name)
	if err != nil {
		return err
	}
	return sbom.Write(os.Stdout, bom)
}
