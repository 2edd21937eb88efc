package debug

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/model"
)

// Server answers below /debug.
type Server struct {
	address string
	core    *controller.Core
}

// NewServer returns a server on the address; empty is none.
func NewServer(address string, core *controller.Core) *Server {
	return &Server{address, core}
}

// Start serves until ctx ends.
func (s *Server) Start(ctx context.Context) error {
	if s.address == "" {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{Addr: s.address, Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // whatever it answers now is of no use
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("debug endpoint on %s: %w", s.address, err)
	}
	return nil
}

// Handler returns the pages.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/config", s.config)
	mux.HandleFunc("GET /debug/model", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.state().Config) })
	mux.HandleFunc("GET /debug/endpoints", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.core.Pipeline.Table.States()) })
	mux.HandleFunc("GET /debug/findings", s.findings)
	mux.HandleFunc("GET /debug/generations", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.state().History) })
	mux.HandleFunc("GET /debug/explain", s.explain)
	mux.HandleFunc("GET /debug/{$}", index)
	mux.HandleFunc("GET /debug", index)
	return mux
}

func (s *Server) state() *controller.State { return s.core.Pipeline.State() }

const indexText = `/debug/config                      the live nginx.conf
/debug/config?generation=ID        an earlier one
/debug/config?rejected=1           the last one that nginx refused, and why
/debug/model                       what the configuration was made from
/debug/endpoints                   the endpoints that nginx is told of
/debug/findings                    what is wrong with objects (?namespace=, ?name=, ?severity=)
/debug/generations                 what was done when, why, and how long it took
/debug/explain?url=URL             who answers a URL, and why
`

func index(w http.ResponseWriter, _ *http.Request) { text(w, []byte(indexText)) }

// config shows an nginx.conf.
func (s *Server) config(w http.ResponseWriter, r *http.Request) {
	switch id := r.FormValue("generation"); {
	case r.FormValue("rejected") != "":
		body, message, err := s.core.Pipeline.Nginx.Rejected()
		if err != nil {
			fail(w, http.StatusNotFound, "nginx has refused no configuration")
			return
		}
		text(w, append([]byte("# nginx refuses this configuration: "+strings.ReplaceAll(string(message), "\n", "\n# ")+"\n"), body...))
	case id != "":
		body, err := s.core.Pipeline.Nginx.Read(id)
		if err != nil {
			fail(w, http.StatusNotFound, err.Error())
			return
		}
		text(w, body)
	case s.state().Config == nil:
		fail(w, http.StatusServiceUnavailable, "no configuration has been made yet")
	default:
		w.Header().Set("X-Sidegate-Generation", s.state().ID)
		text(w, s.state().Text)
	}
}

// findings shows those that the parameters choose.
func (s *Server) findings(w http.ResponseWriter, r *http.Request) {
	out := []model.Finding{}
	chosen := func(parameter, value string) bool {
		return r.FormValue(parameter) == "" || r.FormValue(parameter) == value
	}
	for _, f := range s.state().Findings {
		if chosen("namespace", f.Object.Namespace) && chosen("name", f.Object.Name) && chosen("severity", string(f.Severity)) {
			out = append(out, f)
		}
	}
	answer(w, out)
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	config := s.state().Config
	if config == nil {
		fail(w, http.StatusServiceUnavailable, "no configuration has been made yet")
		return
	}
	e, err := Explain(config, s.state().Findings, s.core.Pipeline.Table.States(), r.FormValue("url"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	answer(w, e)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	// The client has gone.
	_ = e.Encode(v)
}

func text(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(body) // the client has gone
}

func fail(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message}) // the client has gone
}
