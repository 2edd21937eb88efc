package debug

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"
)

// Server answers below /debug.
type Server struct {
	// Address is where it listens; empty is nowhere.
	Address string
	View    View
	// Profiling adds /debug/pprof.
	Profiling bool
}

// Start serves until ctx ends.
func (s *Server) Start(ctx context.Context) error {
	if s.Address == "" {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{Addr: s.Address, Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // whatever it answers now is of no use
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("debug endpoint on %s: %w", s.Address, err)
	}
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
