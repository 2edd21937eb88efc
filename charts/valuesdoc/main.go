// Valuesdoc writes docs/values.md from the comments of the chart's values.yaml.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

func main() {
	values := flag.String("values", "sidegate/values.yaml", "the file with the values")
	output := flag.String("output", "", "the file; standard output without it")
	flag.Parse()
	if err := run(*values, *output); err != nil {
		fmt.Fprintln(os.Stderr, "valuesdoc:", err)
		os.Exit(1)
	}
}

func run(values, output string) error {
	text, err := os.ReadFile(values)
	if err != nil {
		return err
	}
	out, err := document(text)
	if err != nil {
		return fmt.Errorf("%s: %w", values, err)
	}
	if output == "" {
		_, err := os.Stdout.Write(out)
		return err
	}
	return os.WriteFile(output, out, 0o644)
}

const introduction = `# Values of the chart

<!-- Written by "make docs" from charts/sidegate/values.yaml. Edits are lost. -->

The keys of ingress-nginx's chart mean the same here, so that a values file of a
release of it can be used as it is: see [install.md](install.md#from-ingress-nginx).
A key that is not known is refused by name. One of ingress-nginx that has no effect
(yet) is taken, and NOTES.txt, which helm prints, tells what happens instead.
What ingress-nginx's chart has no key for stands under ` + "`sidegate`" + `.
`

// document writes a table for each section of the values. A value without a
// comment is an error.
func document(text []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("want one map")
	}
	d := &rows{}
	if err := d.add("", root.Content[0]); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(introduction)
	var order []string
	sections := map[string][]row{}
	for _, r := range d.list {
		s := sectionOf(r.key)
		if sections[s] == nil {
			order = append(order, s)
		}
		sections[s] = append(sections[s], r)
	}
	for _, s := range order {
		fmt.Fprintf(&b, "\n## %s\n\n| key | type | default | what it is |\n| --- | --- | --- | --- |\n", s)
		for _, r := range sections[s] {
			fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", r.key, r.kind, r.value, strings.ReplaceAll(r.doc, "|", `\|`))
		}
	}
	return b.Bytes(), nil
}

// sectionOf is the part of the document that a key is in.
func sectionOf(key string) string {
	parts := strings.Split(key, ".")
	switch {
	case parts[0] == "controller" && len(parts) > 2:
		switch parts[1] {
		case "service", "metrics", "autoscaling", "keda", "ingressClassResource", "image":
			return "controller." + parts[1]
		}
		return "controller"
	case len(parts) > 1:
		return parts[0]
	}
	return "The whole"
}

type row struct{ key, kind, value, doc string }

type rows struct{ list []row }

// add adds the values of a map. A map whose key has a comment is one value.
func (d *rows) add(prefix string, node *yaml.Node) error {
	for i := 0; i < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := prefix + name.Value
		doc := comment(name.HeadComment)
		if value.Kind == yaml.MappingNode && doc == "" {
			if err := d.add(key+".", value); err != nil {
				return err
			}
			continue
		}
		if doc == "" {
			return fmt.Errorf("line %d: %s has no comment", name.Line, key)
		}
		var plain any
		if err := value.Decode(&plain); err != nil {
			return err
		}
		d.list = append(d.list, row{key, kindOf(value), flow(value), doc})
	}
	return nil
}

// comment is the last paragraph before a key: what is before that is about more
// than the key.
func comment(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	lines := strings.Split(paragraphs[len(paragraphs)-1], "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(l, "#"))
	}
	return strings.TrimSpace(strings.Join(lines, " "))
}

func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "object"
	case yaml.SequenceNode:
		return "list"
	}
	switch node.Tag {
	case "!!bool":
		return "bool"
	case "!!int":
		return "int"
	case "!!null":
		return ""
	}
	return "string"
}

// flow is a value in one line.
func flow(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		var parts []string
		for i := 0; i < len(node.Content); i += 2 {
			parts = append(parts, node.Content[i].Value+": "+flow(node.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		var parts []string
		for _, c := range node.Content {
			parts = append(parts, flow(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if node.Tag == "!!str" && node.Value == "" {
		return `""`
	}
	return node.Value
}
