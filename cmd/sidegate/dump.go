package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// pages are what dump can show.
var pages = []string{"config", "endpoints", "findings", "generations", "model"}

func newDumpCommand() *cobra.Command {
	var at endpoint
	var generation, namespace, name, severity string
	var rejected bool
	c := &cobra.Command{
		Use:   "dump [" + strings.Join(pages, "|") + "]",
		Short: "Print what a running controller has done",
		Long: `Dump prints a page of the running controller's debug endpoint: the live
nginx.conf, or, as JSON, the endpoints that nginx is told of, findings, the
history of generations, and the model that the nginx.conf is rendered from.
Private keys are in none of them. In a pod: kubectl exec POD -c controller -- sidegate dump`,
		Example: `  sidegate dump > nginx.conf
  sidegate dump config --rejected
  sidegate dump findings --severity error
  sidegate dump generations | jq '.[0]'`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: pages,
		RunE: func(c *cobra.Command, args []string) error {
			query := url.Values{}
			for parameter, value := range map[string]string{"generation": generation, "namespace": namespace, "name": name, "severity": severity} {
				if value != "" {
					query.Set(parameter, value)
				}
			}
			if rejected {
				query.Set("rejected", "1")
			}
			return at.ask(c, slices.Concat(args, pages)[0], query)
		},
	}
	f := c.Flags()
	at.flags(f)
	f.StringVar(&generation, "generation", "", "with config: an earlier generation that is still on disk, by its id or the beginning of it")
	f.BoolVar(&rejected, "rejected", false, "with config: the last one that nginx refused, with nginx's words")
	f.StringVarP(&namespace, "namespace", "n", "", "with findings: only about objects of this namespace")
	f.StringVar(&name, "name", "", "with findings: only about objects of this name")
	f.StringVar(&severity, "severity", "", "with findings: only info, warning or error")
	return c
}
