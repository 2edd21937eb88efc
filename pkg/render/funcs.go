package render

import (
	"fmt"
	"strings"
	"text/template"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
)

// zeroID stands where the generation's id goes until it is known: the id is
// the hash of the text around it.
var zeroID = strings.Repeat("0", idLength)

// funcs are the functions of the templates. Those that print something made
// of parts say by their result's type what it is, so that quote does the rest.
func (r *Renderer) funcs() template.FuncMap {
	return template.FuncMap{
		quoteFunc: quote,
		// render prints the template for a named part of the configuration,
		// from memory where the part has not changed.
		"render": r.renderPart,
		// text is the output of a template as a value.
		"text": r.text,
		// generation marks the place of the generation's id.
		"generation": r.generation,
		// listen prints the listen lines of a server.
		"listen": func(s layout.Server) model.Raw { return model.NewRaw(r.listen(s.Name == model.CatchAll)) },
		// http is what is common to all servers. A part may depend on nothing
		// else but its own value: see renderPart.
		"http": func() model.HTTP { return r.config.HTTP },
		// userFile is the path of a live file.
		"userFile": func(f model.Ident) string { return r.config.HTTP.TLS.Directory + "/" + string(f) },

		// limit is an expression of a server that has so many costly ones.
		"limit": limitOf,
		// mapKey is a name as the key of a map.
		"mapKey":   mapKey,
		"noRoute":  func() model.Route { return model.NoRoute },
		"join":     join,
		"expr":     expr,
		"variable": variable,
		"bare":     bare,
		"indent":   indent,
		"switch":   func(b bool) model.Switch { return model.Switch(b) },
		// hashes are the sizes of nginx's hash tables.
		"hashes": func() hashes { return hashesOf(r.config) },
	}
}

// mapWords are what nginx does not take for a key in a map, whether or not it
// stands in quotes, unless a backslash is before it.
var mapWords = map[string]bool{"default": true, "hostnames": true, "include": true, "volatile": true}

func mapKey(name string) string {
	if mapWords[name] {
		return `\` + name
	}
	return name
}

// join makes one token of several texts.
func join(parts ...string) string { return strings.Join(parts, "") }

// expr makes one token in which variables are interpolated.
func expr(parts ...any) (model.Expr, error) {
	var b strings.Builder
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case model.Expr:
			b.WriteString(string(p))
		case *model.Expr:
			b.WriteString(string(*p))
		case model.Ident:
			b.WriteString(string(p))
		default:
			return "", fmt.Errorf("expr cannot hold a %T", p)
		}
	}
	return model.Expr(b.String()), nil
}

// variable prints a variable's name bare.
func variable(name string) (model.Raw, error) {
	if _, err := model.NewIdent(strings.TrimPrefix(name, "$")); err != nil {
		return model.Raw{}, fmt.Errorf("the variable %q %w", name, err)
	}
	return model.NewRaw(name), nil
}

// bare prints a path that needs no quotes, because it stands inside of a
// token: unix:/run/x.sock.
func bare(s string) (model.Raw, error) {
	if _, err := model.NewIdent(strings.ReplaceAll(s, "/", ".")); err != nil {
		return model.Raw{}, fmt.Errorf("the path %q %w", s, err)
	}
	return model.NewRaw(s), nil
}

func indent(tabs int, text model.Raw) model.Raw {
	pad := strings.Repeat("\t", tabs)
	var b strings.Builder
	for line := range strings.Lines(text.String()) {
		b.WriteString(pad)
		b.WriteString(line)
	}
	return model.NewRaw(b.String())
}

// listen writes the listen lines of a server. Options of the socket stand
// only with the catch-all server, which is the default of each address.
func (r *Renderer) listen(catchAll bool) string {
	h := r.config.HTTP
	options := ""
	if h.ProxyProtocol {
		options += " proxy_protocol"
	}
	if catchAll {
		options += " default_server backlog=4096"
		if h.ReusePort {
			options += " reuseport"
		}
	}
	hosts := []string{""}
	if h.IPv6 {
		hosts = append(hosts, "[::]:")
	}
	var lines []string
	for _, host := range hosts {
		lines = append(lines,
			fmt.Sprintf("listen %s%d%s;", host, h.HTTPPort, options),
			fmt.Sprintf("listen %s%d ssl%s;", host, h.HTTPSPort, options))
	}
	return strings.Join(lines, " ")
}
