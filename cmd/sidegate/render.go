package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/translate"
	"github.com/spf13/cobra"
)

func newRenderCommand() *cobra.Command {
	r := &renderCommand{options: &options{}}
	c := &cobra.Command{
		Use:   "render -f DIR",
		Short: "Print the nginx.conf of a directory of manifests, and findings",
		Long: `Render prints the nginx.conf that a directory of manifests makes to standard
output, and findings to standard error. It needs neither a cluster nor, without
--test, an nginx. It fails where a finding is an error, for the CI of a
repository of manifests.`,
		Example: `  sidegate render -f ./manifests > nginx.conf
  sidegate render -f ./manifests --test > /dev/null
  sidegate render -f ./manifests --format json | jq '.model.servers[].name'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return r.run(c) },
	}
	r.common(c.Flags())
	manifestsFlag(c, &r.dir)
	c.Flags().StringVar(&r.format, "format", "conf", "conf for the nginx.conf, json for what it is rendered from, with findings")
	c.Flags().BoolVar(&r.test, "test", false, "have --nginx-binary test the nginx.conf too")
	return c
}

type renderCommand struct {
	*options
	dir, format string
	test        bool
}

// rendered is the JSON form of the result.
type rendered struct {
	// ID is the hash of the nginx.conf.
	ID       string          `json:"id"`
	Model    *model.Config   `json:"model"`
	Findings []model.Finding `json:"findings"`
}

func (r *renderCommand) run(c *cobra.Command) error {
	if r.format != "conf" && r.format != "json" {
		return fmt.Errorf("--format must be conf or json, not %q", r.format)
	}
	var info nginx.Info
	if r.test {
		var err error
		if info, err = nginx.Inspect(c.Context(), r.nginxBinary); err != nil {
			return err
		}
	}
	m, err := r.readManifests(c.Context(), r.dir, info)
	if err != nil {
		return err
	}
	if err := r.print(c.OutOrStdout(), m); err != nil {
		return err
	}
	problems := printFindings(c.ErrOrStderr(), m.output.Findings)
	if r.test {
		problems = errors.Join(problems, m.test(c.Context(), r.nginxBinary))
	}
	return problems
}

func (r *renderCommand) print(w io.Writer, m *offline) error {
	result, err := m.renderer.Render(layout.Of(m.output.Config))
	if err != nil {
		return err
	}
	if r.format == "conf" {
		_, err = w.Write(result.Text)
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(rendered{result.ID, m.output.Config, append([]model.Finding{}, m.output.Findings...)})
}

// printFindings writes findings a line each; it is an error that some are.
func printFindings(w io.Writer, findings []model.Finding) error {
	failed := 0
	for _, f := range findings {
		if f.Severity == model.Error {
			failed++
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n", f.Severity, f); err != nil {
			return err
		}
	}
	switch failed {
	case 0:
		return nil
	case 1:
		return errors.New("1 finding is an error")
	}
	return fmt.Errorf("%d findings are errors", failed)
}

// The ports of a test do not matter, but nginx binds them.
const testHTTPPort, testHTTPSPort = 8080, 8443

// test has nginx test the same configuration with directories of its own,
// because those of the real one need not be there.
func (m *offline) test(ctx context.Context, binary string) error {
	dir, err := os.MkdirTemp("", "sidegate-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it holds nothing of value
	o := m.translator
	o.Directory, o.SecretsDirectory, o.LogDirectory, o.PIDFile = dir, dir+"/secrets", dir+"/run", dir+"/run/nginx.pid"
	o.HTTPPort, o.HTTPSPort = testHTTPPort, testHTTPSPort
	result, err := m.renderer.Render(layout.Of(translate.New(o).Translate(translate.Input{Snapshot: m.snapshot}).Config))
	if err != nil {
		return err
	}
	n, err := nginx.New(nginx.Options{Binary: binary, Dir: dir, PIDFile: o.PIDFile})
	if err != nil {
		return err
	}
	err = n.Test(ctx, result.Text)
	var refused *nginx.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	// Where the text was for the test is of no interest; its lines are those
	// that were printed.
	message := strings.ReplaceAll(refused.Message, filepath.Join(dir, "candidate")+"/", "")
	if part, ok := result.PartAt(refused.Line); ok && refused.Line > 0 {
		message += fmt.Sprintf(" (in what %s makes of %s)", part.Template, part.Name)
	}
	return errors.New("nginx refuses the nginx.conf: " + message)
}
