package layout

import "github.com/sidegate/sidegate/pkg/model"

// Of lays a model out. What it makes shares memory with the model, and neither
// is changed after that.
func Of(c *model.Config) *Config {
	out := &Config{
		Main: c.Main, HTTP: c.HTTP, Certificates: c.Certificates, Upstreams: c.Upstreams,
		Servers: make([]Server, len(c.Servers)),
	}
	for i := range c.Servers {
		out.Servers[i] = ServerOf(&c.Servers[i])
	}
	return out
}

// ServerOf lays one server out.
func ServerOf(s *model.Server) Server {
	out := Server{Name: s.Name, HSTS: s.HSTS, AppRoot: s.AppRoot, Locations: make([]Location, len(s.Locations))}
	for i := range s.Locations {
		out.Locations[i] = location(&s.Locations[i])
	}
	out.hoistRedirect()
	out.hoistRoute(s)
	out.ask()
	out.tryAgain()
	return out
}

// hoistRedirect says once for the server what all its locations say: nginx
// makes a location of every "if", and they are what a reload spends time on.
func (s *Server) hoistRedirect() {
	if s.Name == model.CatchAll {
		return // load balancers ask for its health by http
	}
	code := s.Locations[0].ToHTTPS
	for _, l := range s.Locations {
		if l.ToHTTPS != code || l.Closed {
			return
		}
	}
	s.ToHTTPS = code
	for i := range s.Locations {
		s.Locations[i].ToHTTPS = 0
	}
}

// hoistRoute says once for the server what most of its locations say. Those
// without a backend then say so.
func (s *Server) hoistRoute(of *model.Server) {
	lines := map[model.Route]int{}
	var most model.Route
	asks := false
	for i := range of.Locations {
		l := &of.Locations[i]
		route := model.NoRoute
		if l.Route != nil {
			route = *l.Route
		}
		if lines[route] += len(l.Claim.Matches); lines[route] > lines[most] {
			most = route
		}
		asks = asks || s.Locations[i].Auth != nil
	}
	// An authentication's subrequest would set the server's again.
	if most == model.NoRoute || asks && len(lines) > 1 {
		return
	}
	s.Route = &most
	for i := range s.Locations {
		switch l := &s.Locations[i]; {
		case l.Route == nil:
			l.Route = new(model.NoRoute)
		case *l.Route == most:
			l.Route = nil
		}
	}
}
