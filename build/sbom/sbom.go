package sbom

import (
	"archive/tar"
	"bytes"
	"cmp"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/uuid"
)

// Where things are in an image whose packages were unpacked without dpkg.
const (
	packageRecords = "var/lib/dpkg/status.d"
	osRelease      = "usr/lib/os-release"
)

// Of makes the list for an image that is called name. Its time is the image's
// and its serial number comes from the image's digest, so that the same image
// always has the same list.
func Of(img v1.Image, name string) (*cdx.BOM, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	found, err := scan(img)
	if err != nil {
		return nil, err
	}
	if len(found.packages) == 0 || len(found.binaries) == 0 {
		return nil, fmt.Errorf("the image has %d packages in /%s and %d Go binaries, want at least one of each", len(found.packages), packageRecords, len(found.binaries))
	}
	version := config.Config.Labels["org.opencontainers.image.version"]
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceOID, []byte(digest.String())).String()
	bom.Metadata = &cdx.Metadata{
		Timestamp: config.Created.UTC().Format(time.RFC3339),
		Component: &cdx.Component{
			BOMRef: digest.String(), Type: cdx.ComponentTypeContainer, Name: name, Version: version,
			Properties: &[]cdx.Property{{Name: "architecture", Value: config.Architecture}, {Name: "digest", Value: digest.String()}},
		},
	}
	components, err := found.components(version)
	if err != nil {
		return nil, err
	}
	bom.Components = &components
	return bom, nil
}

// contents are what tells about the image.
type contents struct {
	release  map[string]string
	packages []debianPackage
	binaries map[string]*buildinfo.BuildInfo
}

func scan(img v1.Image) (*contents, error) {
	c := &contents{release: map[string]string{}, binaries: map[string]*buildinfo.BuildInfo{}}
	files := mutate.Extract(img)
	defer files.Close()
	for tr := tar.NewReader(files); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if err := c.file(path.Clean(h.Name), h.Mode, tr); err != nil {
				return nil, fmt.Errorf("/%s: %w", h.Name, err)
			}
		}
	}
}

func (c *contents) file(name string, mode int64, r io.Reader) error {
	switch {
	case name == osRelease:
		return c.readRelease(r)
	case path.Dir(name) == packageRecords && !strings.HasSuffix(name, ".md5sums"):
		p, err := readPackage(r)
		c.packages = append(c.packages, p)
		return err
	case mode&0o111 != 0:
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if info, err := buildinfo.Read(bytes.NewReader(data)); err == nil { // else it is no Go binary
			c.binaries[name] = info
		}
	}
	return nil
}

// components are sorted by their package URL.
func (c *contents) components(version string) ([]cdx.Component, error) {
	id, codename := c.release["ID"], c.release["VERSION_CODENAME"]
	if id == "" {
		return nil, fmt.Errorf("/%s of the image has no ID", osRelease)
	}
	out := []cdx.Component{{BOMRef: "os:" + id, Type: cdx.ComponentTypeOS, Name: id, Version: cmp.Or(c.release["VERSION_ID"], codename)}}
	for _, p := range c.packages {
		out = append(out, p.component(id, codename))
	}
	for name, info := range c.binaries {
		modules, err := goComponents(name, info, version)
		if err != nil {
			return nil, err
		}
		out = append(out, modules...)
	}
	slices.SortFunc(out, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	return slices.CompactFunc(out, func(a, b cdx.Component) bool { return a.BOMRef == b.BOMRef }), nil
}

// Write writes it as JSON.
func Write(w io.Writer, bom *cdx.BOM) error {
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
}
