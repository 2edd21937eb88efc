package debug

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/sidedoor"
)

// Server answers below /debug.
type Server struct {
	// Address is where it listens; the zero value is nowhere. By TCP each
	// request must bear Token.
	Address sidedoor.Address
	Token   string
	View    View
	// Profiling adds /debug/pprof.
	Profiling bool
	Log       logr.Logger
	// Up is called with whether it listens.
	Up func(name string, up bool)
}

// Check tells what is wrong with the address; it is for the start.
func (s *Server) Check() error {
	if s.Address.IsTCP() && s.Token == "" {
		return fmt.Errorf("the address %s: %w", s.Address, sidedoor.ErrNoToken)
	}
	return nil
}

// Start serves until ctx ends. Where it cannot listen it tries again, and
// nothing else is affected.
func (s *Server) Start(ctx context.Context) error {
	if s.Address.IsZero() {
		<-ctx.Done()
		return nil
	}
	if err := s.Check(); err != nil {
		return err
	}
	handler := s.Handler()
	if s.Address.IsTCP() {
		handler = sidedoor.Authorize(s.Token, handler)
	}
	door := &sidedoor.Door{Name: "debug", Log: s.Log, Listen: s.Address.Listen, Handler: handler, Up: s.Up}
	door.Serve(ctx)
	return nil
}

// Handler returns the pages.
func (s *Server) Handler() http.Handler {
	p := &pages{s.View}
	mux := http.NewServeMux()
	for _, page := range p.list() {
		mux.HandleFunc("GET "+page.path, page.show)
	}
	mux.HandleFunc("GET /debug", p.index)
	mux.HandleFunc("GET /debug/{$}", p.index)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "there is no page for %s %s; GET /debug lists those that there are", r.Method, r.URL.Path)
	})
	if s.Profiling {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}
