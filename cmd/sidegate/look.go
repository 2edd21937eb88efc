package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// debugTimeout bounds a question to a running controller.
const debugTimeout = 30 * time.Second

func newExplainCommand() *cobra.Command {
	var address string
	c := &cobra.Command{
		Use:     "explain URL",
		Short:   "Say which Ingress, location and endpoints answer a URL, and why",
		Example: "  sidegate explain https://foo.bar.com/backend",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return ask(c, address, "/debug/explain?url="+url.QueryEscape(args[0]))
		},
	}
	debugFlag(c, &address)
	return c
}

// pages are what dump can show.
var pages = []string{"config", "endpoints", "findings", "generations", "model"}

func newDumpCommand() *cobra.Command {
	var address string
	c := &cobra.Command{
		Use:       "dump [" + strings.Join(pages, "|") + "]",
		Short:     "Print what a running controller has done",
		Example:   "  sidegate dump findings",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: pages,
		RunE: func(c *cobra.Command, args []string) error {
			page := slices.Concat(args, []string{"config"})[0]
			return ask(c, address, "/debug/"+page)
		},
	}
	debugFlag(c, &address)
	return c
}

func debugFlag(c *cobra.Command, address *string) {
	c.Flags().StringVar(address, "debug-address", "127.0.0.1:10256", "the controller's debug endpoint")
}

// ask prints a page of the debug endpoint.
func ask(c *cobra.Command, address, page string) error {
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, "http://"+address+page, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: debugTimeout}).Do(request)
	if err != nil {
		return fmt.Errorf("no controller answers at --debug-address %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 4096)) // what there is of it
		return fmt.Errorf("%s answers %s: %s", page, response.Status, strings.TrimSpace(string(body)))
	}
	_, err = io.Copy(c.OutOrStdout(), response.Body)
	return err
}
