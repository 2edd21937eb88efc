// Package walkthrough holds the manifests of the walkthrough, for the programs
// that play it.
package walkthrough

import "embed"

// Files are the manifests, by their names in this folder.
//
//go:embed *.yaml
var Files embed.FS
