package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sidegate/sidegate/pkg/explain"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/spf13/cobra"
)

func newExplainCommand() *cobra.Command {
	x := &explainCommand{options: &options{}}
	c := &cobra.Command{
		Use:   "explain URL",
		Short: "Say what nginx does with a request, and why",
		Long: `Explain says which server and which location nginx chooses for a URL and why,
which Ingress that comes from, what answers before a backend does, and which
endpoints there are now. It asks the running controller, or, with -f, reads a
directory of manifests.`,
		Example: `  sidegate explain https://foo.bar.com/backend
  sidegate explain https://foo.bar.com/backend -f ./manifests
  sidegate explain http://foo.bar.com/ -H 'X-Forwarded-Proto: https' --output json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return x.run(c, args[0]) },
	}
	x.common(c.Flags())
	manifestsFlag(c, &x.dir)
	c.Flags().StringArrayVarP(&x.header, "header", "H", nil, "a header of the request, as NAME: VALUE; Host and what trusted proxies send count")
	c.Flags().StringVarP(&x.output, "output", "o", "text", "text or json")
	return c
}

type explainCommand struct {
	*options
	dir, output string
	header      []string
}

func (x *explainCommand) run(c *cobra.Command, raw string) error {
	if x.output != "text" && x.output != "json" {
		return fmt.Errorf("--output must be text or json, not %q", x.output)
	}
	if x.dir == "" {
		return x.debugEndpoint.ask(c, "explain", url.Values{"url": {raw}, "format": {x.output}, "header": x.header})
	}
	m, err := x.readManifests(c.Context(), x.dir, nginx.Info{})
	if err != nil {
		return err
	}
	header := http.Header{}
	for _, h := range x.header {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return fmt.Errorf("--header must be NAME: VALUE, not %q", h)
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	e, err := explain.Explain(explain.Input{
		Config: m.output.Config, Findings: m.output.Findings, Endpoints: m.endpoints(), URL: raw, Header: header,
	})
	if err != nil {
		return err
	}
	if x.output == "text" {
		return e.WriteText(c.OutOrStdout())
	}
	encoder := json.NewEncoder(c.OutOrStdout())
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(e)
}
