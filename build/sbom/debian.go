package sbom

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
)

// debianPackage is what dpkg's record of a package says.
type debianPackage struct {
	name, version, architecture, source, maintainer, homepage string
}

// readPackage reads a record: fields as in the header of a mail.
func readPackage(r io.Reader) (debianPackage, error) {
	header, err := textproto.NewReader(bufio.NewReader(r)).ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return debianPackage{}, fmt.Errorf("no record of a package: %w", err)
	}
	p := debianPackage{
		name: header.Get("Package"), version: header.Get("Version"), architecture: header.Get("Architecture"),
		source: header.Get("Source"), maintainer: header.Get("Maintainer"), homepage: header.Get("Homepage"),
	}
	if p.name == "" || p.version == "" || p.architecture == "" {
		return debianPackage{}, fmt.Errorf("no record of a package: want Package, Version and Architecture")
	}
	return p, nil
}

func (p debianPackage) component(distribution, codename string) cdx.Component {
	qualifiers := map[string]string{"arch": p.architecture}
	if codename != "" {
		qualifiers["distro"] = distribution + "-" + codename
	}
	// Security advisories name the source package: "glibc (2.43-7)".
	if source, _, _ := strings.Cut(p.source, " "); source != "" {
		qualifiers["upstream"] = source
	}
	purl := packageurl.NewPackageURL(packageurl.TypeDebian, distribution, p.name, p.version, packageurl.QualifiersFromMap(qualifiers), "").ToString()
	c := cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: p.name, Version: p.version, PackageURL: purl, Publisher: p.maintainer}
	if p.homepage != "" {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeWebsite, URL: p.homepage}}
	}
	return c
}

// readRelease reads os-release: NAME=VALUE, with or without quotes.
func (c *contents) readRelease(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			c.release[name] = strings.Trim(value, `"'`)
		}
	}
	return lines.Err()
}
