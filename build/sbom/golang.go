package sbom

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
)

// goComponents are the modules that a binary was linked from, with Go's own
// library, as the binary says. One that was not built from a module's release
// does not know its own version: then it is the image's.
func goComponents(file string, info *buildinfo.BuildInfo, version string) ([]cdx.Component, error) {
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	main := goComponent(cdx.ComponentTypeApplication, info.Main.Path, version, file)
	out := []cdx.Component{main, goComponent(cdx.ComponentTypeLibrary, "stdlib", strings.TrimPrefix(info.GoVersion, "go"), file)}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := goComponent(cdx.ComponentTypeLibrary, m.Path, m.Version, file)
		if err := addHash(&c, m); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func goComponent(kind cdx.ComponentType, module, version, file string) cdx.Component {
	purl := packageurl.NewPackageURL(packageurl.TypeGolang, "", module, version, nil, "")
	if i := strings.LastIndexByte(module, '/'); i >= 0 {
		purl.Namespace, purl.Name = module[:i], module[i+1:]
	}
	return cdx.Component{
		BOMRef: purl.ToString(), Type: kind, Name: module, Version: version, PackageURL: purl.ToString(),
		Evidence: &cdx.Evidence{Occurrences: &[]cdx.EvidenceOccurrence{{Location: "/" + file}}},
	}
}

// addHash adds the module's sum, which go.sum has in base64: a SHA-256 of the
// sums of its files, as golang.org/x/mod/sumdb/dirhash defines it.
func addHash(c *cdx.Component, m *debug.Module) error {
	sum, ok := strings.CutPrefix(m.Sum, "h1:")
	if !ok {
		return nil // a module from a folder has none
	}
	raw, err := base64.StdEncoding.DecodeString(sum)
	if err != nil {
		return fmt.Errorf("the sum of %s: %w", m.Path, err)
	}
	c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(raw)}}
	return nil
}
