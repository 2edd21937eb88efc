package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// askTimeout bounds a question to a running controller. The model of ten
// thousand Ingresses takes seconds to print.
const askTimeout = time.Minute

// ask prints a page of the debug endpoint of a running controller.
func ask(c *cobra.Command, address, page string, query url.Values) error {
	u := url.URL{Scheme: "http", Host: address, Path: "/debug/" + page, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("--debug-address must be HOST:PORT, not %q: %w", address, err)
	}
	// A proxy of the environment has no business here.
	client := &http.Client{Timeout: askTimeout, Transport: &http.Transport{}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("no controller answers at --debug-address %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode == http.StatusOK {
		_, err = io.Copy(c.OutOrStdout(), response.Body)
		return err
	}
	var body struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Error == "" {
		return fmt.Errorf("%s at --debug-address %s answers %s, as no controller of this version does", u.Path, address, response.Status)
	}
	return fmt.Errorf("the controller at %s says: %s", address, body.Error)
}
