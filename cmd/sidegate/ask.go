package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/sidegate/sidegate/pkg/sidedoor"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// endpoint are the flags that say where the debug endpoint is, for the
// controller and for those who ask it.
type endpoint struct{ address, tokenFile string }

func (e *endpoint) flags(f *pflag.FlagSet) {
	f.StringVar(&e.address, "debug-address", sidedoor.Auto, "the address of the debug endpoint: unix:/PATH, HOST:PORT (then --debug-token-file is needed), or empty for none; "+
		sidedoor.Auto+" is unix:/run/sidegate/debug/debug.sock, or, where that cannot be made, sidegate/debug.sock in $XDG_RUNTIME_DIR or sidegate-UID/debug.sock in $TMPDIR")
	f.StringVar(&e.tokenFile, "debug-token-file", "", "the file with the token that requests to a TCP address bear; others must not be able to read it")
}

// parse reads both.
func (e *endpoint) parse() (address sidedoor.Address, token string, err error) {
	if address, err = sidedoor.ParseAddress(e.address); err != nil {
		return address, "", fmt.Errorf("--debug-address: %w", err)
	}
	if e.tokenFile != "" && address.IsTCP() {
		if token, err = sidedoor.ReadToken(e.tokenFile); err != nil {
			return address, "", fmt.Errorf("--debug-token-file: %w", err)
		}
	}
	return address, token, nil
}

// ask prints a page of the debug endpoint of a running controller.
func (e *endpoint) ask(c *cobra.Command, page string, query url.Values) error {
	address, token, err := e.parse()
	if err != nil {
		return err
	}
	if address.IsZero() {
		return fmt.Errorf("--debug-address must say where a controller answers")
	}
	u := url.URL{Path: "/debug/" + page, RawQuery: query.Encode()}
	response, err := (&sidedoor.Client{Address: address, Token: token}).Get(c.Context(), u.String())
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
