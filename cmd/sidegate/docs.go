package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/settings"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:generate go run . docs --output ../../docs/configuration.md

func newDocsCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:    "docs",
		Short:  "Write the reference of flags, ConfigMap keys, annotations, findings and metrics",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			text, err := reference(c.Root())
			if err != nil {
				return err
			}
			if output == "" {
				_, err = c.OutOrStdout().Write(text)
				return err
			}
			return os.WriteFile(output, text, 0o644)
		},
	}
	c.Flags().StringVar(&output, "output", "", "the file; standard output without it")
	return c
}

const introduction = `# Configuration

<!-- Written by "make docs" from the tables of the code. Edits are lost. -->

What can be set: by [flags](#flags) for the process, by keys of a
[ConfigMap](#configmap) for all of nginx, and by [annotations](#annotations) for
an Ingress. What is wrong with a value is told by [findings](#findings), and what
happens by [metrics](#metrics).

The column "works" says what becomes of a key or an annotation of ingress-nginx:
*yes*, it does the same; *partly*, as its text says; *accepted*, nothing is left
for it to do; *no*, stock nginx cannot do it, and there is a finding. What a later
version brings stands in tables of its own, and is a finding until then.
`

// reference writes docs/configuration.md.
func reference(root *cobra.Command) ([]byte, error) {
	d := &document{}
	d.WriteString(introduction)
	d.flags(root)
	d.keys()
	d.annotations()
	d.reasons()
	err := d.metrics()
	return d.Bytes(), err
}

// document is Markdown in the making.
type document struct{ bytes.Buffer }

func (d *document) printf(format string, args ...any) { fmt.Fprintf(d, format, args...) }

// table writes a table. No rows are no table.
func (d *document) table(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	line := func(cells []string) { d.printf("| %s |\n", strings.Join(cells, " | ")) }
	d.WriteString("\n")
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, cells := range rows {
		for i, c := range cells {
			cells[i] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(c)
		}
		line(cells)
	}
}

// code sets a value in the type of code; nothing stays nothing.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func (d *document) flags(root *cobra.Command) {
	d.WriteString(`
## Flags

The controller is ` + "`sidegate`" + ` without a command. It takes the flags of
ingress-nginx; those that have no effect are logged at the start.
`)
	var ours, ignored [][]string
	root.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		if _, ok := f.Value.(*ignoredFlag); ok {
			ignored = append(ignored, []string{code("--" + f.Name), strings.TrimPrefix(f.Usage, "accepted without effect: ")})
			return
		}
		ours = append(ours, flagRow(f))
	})
	head := []string{"flag", "type", "default", "what it does"}
	d.table(head, ours)
	d.WriteString("\nOf ingress-nginx, and without effect:\n")
	d.table([]string{"flag", "why"}, ignored)
	d.WriteString("\n### Commands\n\nWhere a command has flags of the controller too, they mean the same.\n")
	for _, c := range root.Commands() {
		if c.Hidden || c.Example == "" { // those of cobra have none
			continue
		}
		d.printf("\n#### sidegate %s\n\n%s.\n", c.Use, c.Short)
		var own [][]string
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			// A flag that differs from the controller's is worth a line.
			same := root.Flags().Lookup(f.Name)
			if f.Name != "help" && (same == nil || same.DefValue != f.DefValue) {
				own = append(own, flagRow(f))
			}
		})
		d.table(head, own)
		d.printf("\n```\n%s\n```\n", c.Example)
	}
}

func flagRow(f *pflag.Flag) []string {
	name := code("--" + f.Name)
	if f.Shorthand != "" {
		name = code("-"+f.Shorthand) + ", " + name
	}
	value := f.DefValue
	if value == "[]" {
		value = ""
	}
	return []string{name, f.Value.Type(), code(value), f.Usage}
}

func (d *document) keys() {
	d.WriteString(`
## ConfigMap

The keys of the ConfigMap that ` + "`--configmap`" + ` names. A key that is not known and a
value that cannot be used are a finding each, and the default stays.
`)
	var rows, later [][]string
	for _, r := range settings.Table() {
		if r.Support == settings.Planned {
			later = append(later, []string{code(r.Name), r.Type})
			continue
		}
		rows = append(rows, []string{code(r.Name), r.Type, code(r.Default), string(r.Support), r.Doc})
	}
	d.table([]string{"key", "type", "default", "works", "what it does"}, rows)
	d.WriteString("\nNot yet:\n")
	d.table([]string{"key", "type"}, later)
}

func (d *document) annotations() {
	d.printf(`
## Annotations

The names stand behind a prefix: %s/, which %s replaces, or
%s/, as in 2017. The first wins where both are there. The scope is the part of
nginx.conf that an annotation acts on, the risk what somebody who may set it can do
with it, in the words of ingress-nginx.
`, annotations.DefaultPrefix, code("--annotations-prefix"), annotations.LegacyPrefix)
	families := map[string][][]string{}
	later := [][]string{}
	for _, r := range annotations.Table() {
		if r.Support == annotations.Planned {
			later = append(later, []string{r.Family, code(r.Name), r.Type, string(r.Scope), string(r.Risk), meanwhile(r.Name)})
			continue
		}
		doc := r.Doc
		if len(r.Aliases) > 0 {
			doc += " Also written " + code(strings.Join(r.Aliases, "`, `")) + "."
		}
		families[r.Family] = append(families[r.Family], []string{
			code(r.Name), r.Type, string(r.Scope), string(r.Risk), r.Default, string(r.Support), doc,
		})
	}
	for _, name := range sortedKeys(families) {
		d.printf("\n### %s\n", name)
		d.table([]string{"annotation", "type", "scope", "risk", "default", "works", "what it does"}, families[name])
	}
	slices.SortStableFunc(later, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	d.WriteString("\n### Not yet\n")
	d.table([]string{"family", "annotation", "type", "scope", "risk", "until then"}, later)
}

// meanwhile says what becomes of an annotation that does not work yet.
func meanwhile(name string) string {
	set, _ := annotations.Parse([]string{"x"}, model.Object{}, map[string]string{"x/" + name: "deny all;"})
	if set.Unguarded != "" || set.UnguardedHost != "" {
		return "closed where it keeps requests out: they would get past it, so they get 503"
	}
	return "ignored"
}
