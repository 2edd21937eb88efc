package sidedoor

import (
	"context"
	"net"
	"net/http"
	"time"
)

// askTimeout bounds a question to a running controller. The model of ten
// thousand Ingresses takes seconds to print.
const askTimeout = time.Minute

// Client asks the debug endpoint at the address, whatever host a URL names.
type Client struct {
	Address Address
	// Token is sent to a TCP address only.
	Token string
}

// Get fetches a page: /debug/config. The answer's body is the caller's to close.
func (c *Client) Get(ctx context.Context, page string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sidegate"+page, nil)
	if err != nil {
		return nil, err
	}
	if c.Address.IsTCP() && c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	// A proxy of the environment has no business here.
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.Address.Dial(ctx) },
	}
	return (&http.Client{Timeout: askTimeout, Transport: transport}).Do(request)
}
