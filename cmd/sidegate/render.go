package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/translate"
	"github.com/spf13/cobra"
)

func newRenderCommand() *cobra.Command {
	o := &options{}
	var dir string
	c := &cobra.Command{
		Use:   "render -f DIR",
		Short: "Print the nginx.conf of a directory of manifests, and findings",
		Long: `Render prints the nginx.conf that a directory of manifests makes to standard
output, and findings to standard error. It needs neither a cluster nor an nginx.
It fails where a finding is an error, for the CI of a repository of manifests.`,
		Example: "  sidegate render -f ./manifests > /dev/null",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.render(c, dir) },
	}
	o.common(c.Flags())
	c.Flags().StringVarP(&dir, dirFlag, "f", "", "the directory of manifests")
	if err := c.MarkFlagRequired(dirFlag); err != nil {
		panic(err) // the flag is there
	}
	return c
}

func (o *options) render(c *cobra.Command, dir string) error {
	if err := o.complete(); err != nil {
		return err
	}
	source, err := o.dirSource(dir)
	if err != nil {
		return err
	}
	snap, err := source.Snapshot(c.Context())
	if err != nil {
		return err
	}
	t, err := o.translateOptions(nginx.Info{})
	if err != nil {
		return err
	}
	t.Resolvers = []string{o.discoveryAddress}
	var overlay fs.FS
	if o.templateDir != "" {
		overlay = os.DirFS(o.templateDir)
	}
	renderer, err := render.New(overlay)
	if err != nil {
		return err
	}
	out := translate.New(t).Translate(translate.Input{Snapshot: snap})
	result, err := renderer.Render(out.Config)
	if err != nil {
		return err
	}
	if _, err := c.OutOrStdout().Write(result.Text); err != nil {
		return err
	}
	failed := 0
	for _, f := range out.Findings {
		if f.Severity == model.Error {
			failed++
		}
		fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", f.Severity, f)
	}
	if failed > 0 {
		return errors.New(count(failed, "finding is an error", "findings are errors"))
	}
	return nil
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
