// Package templates holds the text of nginx.conf, one file a block.
//
// The templates are Go text/template. Package render gives every printed
// value its quotes by its Go type, so a template never quotes by itself, and
// never joins a quoted value to other text: `proxy_pass http://{{.Upstream}}`
// is right because Upstream is an Ident, which is printed bare.
//
// nginx.conf.tmpl is the root. A directory given by --template-dir replaces
// the files that it holds; the others stay.
package templates

import "embed"

// FS holds the templates.
//
//go:embed *.tmpl
var FS embed.FS
