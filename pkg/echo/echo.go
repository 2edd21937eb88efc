package echo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Mode says what a Server answers.
type Mode string

const (
	// Echo answers 200 and a Response, or what the query asks for.
	Echo Mode = "echo"
	// DefaultBackend answers 404 and a page, as ingress-nginx wants it from a
	// default backend.
	DefaultBackend Mode = "default-backend"
)

// DefaultBackendBody is the page of a Server in the mode DefaultBackend. It
// differs from the one that is built into the proxy, so that a client can tell
// who answered.
const DefaultBackendBody = "<!doctype html><title>Not here</title><p>There is no such page. (a default backend of one's own)</p>\n"

// maxBody is how much of a request's body is sent back, in bytes, and maxDelay
// for how long a request may ask to be kept waiting.
const (
	maxBody  = 64 << 10
	maxDelay = 5 * time.Minute
)

// Response is the body of an answer in the mode Echo: the request as it
// arrived, and who took it.
type Response struct {
	Pod       string `json:"pod"`
	Namespace string `json:"namespace"`
	// IP and Port are those that the connection came in at.
	IP   string `json:"ip"`
	Port int    `json:"port"`
	// Client is the other end of the connection: the proxy, as a rule.
	Client string `json:"client"`

	Method  string      `json:"method"`
	Host    string      `json:"host"`
	Path    string      `json:"path"` // as it was sent, not decoded
	Query   string      `json:"query,omitempty"`
	Proto   string      `json:"proto"`
	Headers http.Header `json:"headers"`
	Body    string      `json:"body,omitempty"` // its first 64 kB
}

// Header is the first value of a header of the request.
func (r *Response) Header(name string) string { return r.Headers.Get(name) }

// Server answers HTTP requests. Its zero value is an echo without a name.
type Server struct {
	Mode           Mode
	Pod, Namespace string
	// ShutdownDelay is for how long requests are still taken after the context
	// of Serve has ended; readiness fails meanwhile.
	ShutdownDelay time.Duration

	draining atomic.Bool
}

// shutdownTimeout is for how long a request that is under way may hold up the
// end. A kubelet kills after 30 s.
const shutdownTimeout = 25 * time.Second

// Serve serves on the listeners until ctx ends, then drains: see ShutdownDelay.
// It returns nil when everything that was begun has been answered.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	select {
	case err := <-failed:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	s.draining.Store(true)
	time.Sleep(s.ShutdownDelay)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return server.Shutdown(end)
}

// ServeHTTP answers:
//
//	/healthz              200, or 503 once the server has been told to end
//	?status=503           with that status
//	?delay=500ms          after that time
//	?set-cookie=NAME=VAL  and sets the cookie
//	?header=NAME:VALUE    and sets the header of the answer
//	?reflect=NAME         and sets Seen-NAME to what NAME of the request says
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		// So that connections which are kept alive end between two requests.
		w.Header().Set("Connection", "close")
	}
	switch {
	case r.URL.Path == "/healthz" && s.draining.Load():
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
	case r.URL.Path == "/healthz":
		fmt.Fprintln(w, "ok")
	case s.Mode == DefaultBackend:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, DefaultBackendBody) //nolint:errcheck // the client is gone
	default:
		s.echo(w, r)
	}
}

func (s *Server) echo(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	status := http.StatusOK
	if v := query.Get("status"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 200 || n > 599 {
			http.Error(w, fmt.Sprintf("status=%q: want a number from 200 to 599", v), http.StatusBadRequest)
			return
		}
		status = n
	}
	if v := query.Get("delay"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d > maxDelay {
			http.Error(w, fmt.Sprintf("delay=%q: want a duration as 500ms, up to %s", v, maxDelay), http.StatusBadRequest)
			return
		}
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the client went away in the middle of its request
	}
	for _, v := range query["set-cookie"] {
		w.Header().Add("Set-Cookie", v)
	}
	for _, v := range query["header"] {
		name, value, _ := strings.Cut(v, ":")
		w.Header().Add(name, strings.TrimSpace(value))
	}
	for _, name := range query["reflect"] {
		value := strings.Join(r.Header.Values(name), ", ")
		if strings.EqualFold(name, "Host") {
			value = r.Host
		}
		w.Header().Set("Seen-"+name, value)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(s.response(r, string(body))) //nolint:errcheck // the client is gone
}

func (s *Server) response(r *http.Request, body string) Response {
	var local netip.AddrPort
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		local, _ = netip.ParseAddrPort(a.String())
	}
	return Response{
		Pod:       s.Pod,
		Namespace: s.Namespace,
		IP:        local.Addr().String(),
		Port:      int(local.Port()),
		Client:    r.RemoteAddr,
		Method:    r.Method,
		Host:      r.Host,
		Path:      r.URL.EscapedPath(),
		Query:     r.URL.RawQuery,
		Proto:     r.Proto,
		Headers:   r.Header,
		Body:      body,
	}
}

// Program returns a Server as what the container of a pod runs, told by the
// environment: it listens on every pair of an address in POD_IPS (POD_IP) and a
// port in PORTS (PORT, else 8080), and takes its name from POD_NAME and
// POD_NAMESPACE. It returns when ctx has ended and all is drained.
func Program(mode Mode, shutdownDelay time.Duration) func(ctx context.Context, getenv func(string) string) error {
	return func(ctx context.Context, getenv func(string) string) error {
		server := &Server{
			Mode: mode, ShutdownDelay: shutdownDelay,
			Pod: getenv("POD_NAME"), Namespace: getenv("POD_NAMESPACE"),
		}
		listeners, err := listen(ctx, getenv)
		if err != nil {
			return err
		}
		return server.Serve(ctx, listeners...)
	}
}

func listen(ctx context.Context, getenv func(string) string) ([]net.Listener, error) {
	ips := cmp.Or(getenv("POD_IPS"), getenv("POD_IP"))
	ports := cmp.Or(getenv("PORTS"), getenv("PORT"), "8080")
	var listeners []net.Listener
	for _, ip := range strings.Split(ips, ",") {
		for _, port := range strings.Split(ports, ",") {
			l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(ip, port))
			if err != nil {
				for _, l := range listeners {
					l.Close()
				}
				return nil, err
			}
			listeners = append(listeners, l)
		}
	}
	return listeners, nil
}
