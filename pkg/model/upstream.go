package model

import (
	"cmp"
	"slices"
)

// Upstream is a group of endpoints, and how one of them is chosen. Its name,
// zone and server names must stay the same from one generation to the next,
// or the endpoints that nginx has already looked up are lost at a reload.
type Upstream struct {
	Name Ident `json:"name"`
	// Backend is the Service port behind it.
	Backend Backend `json:"backend"`
	// Zone is the shared memory that holds the endpoints; "" where the
	// endpoints never change.
	Zone Size `json:"zone,omitempty"`
	// Keepalive is the number of idle connections a worker keeps to it.
	Keepalive int `json:"keepalive"`
	// Servers is sorted by host and port.
	Servers []UpstreamServer `json:"servers"`
	// Outside is the name that an ExternalName Service stands for; nil where the
	// names of Servers are those of endpoints.
	Outside *Outside `json:"outside,omitempty"`
	Sticky  *Sticky  `json:"sticky,omitempty"`
}

// Outside is a name that the name servers of the cluster are asked for. nginx
// asks Sidegate's DNS server for Asked instead, which looks Name up and leaves
// out addresses that nothing may be sent to.
type Outside struct {
	Asked Ident `json:"asked"`
	// Name is completed by the search list unless it ends in a dot.
	Name string `json:"name"`
	Port uint16 `json:"port"`
}

// Backend names a port of a Service as an Ingress does.
type Backend struct {
	Namespace string `json:"namespace"`
	Service   string `json:"service"`
	// Port is the number or the name, as written in the Ingress.
	Port string `json:"port"`
}

func (b Backend) String() string { return b.Namespace + "/" + b.Service + ":" + b.Port }

// UpstreamServer is one server line: a name that resolves to endpoints that
// all listen on the same port.
type UpstreamServer struct {
	Host Ident `json:"host"`
	Port int32 `json:"port"`
	// PortName is the name of the port in the EndpointSlices.
	PortName string `json:"portName,omitempty"`
	// Resolve says that Host is a name to be looked up again and again.
	Resolve bool `json:"resolve,omitempty"`
}

// Sticky keeps a client on one endpoint.
type Sticky struct {
	// Cookie is the name of the cookie that nginx sets.
	Cookie Ident `json:"cookie,omitempty"`
	// Learn is the name of a cookie that the application sets. With it
	// nginx sets none.
	Learn    Ident     `json:"learn,omitempty"`
	Expires  *Duration `json:"expires,omitempty"`
	Domain   string    `json:"domain,omitempty"`
	Path     string    `json:"path,omitempty"`
	Secure   bool      `json:"secure,omitempty"`
	SameSite Expr      `json:"sameSite,omitempty"`
}

// Upstream returns the upstream with the name, or nil.
func (c *Config) Upstream(name Ident) *Upstream {
	i, ok := slices.BinarySearchFunc(c.Upstreams, name, func(u Upstream, want Ident) int { return cmp.Compare(u.Name, want) })
	if !ok {
		return nil
	}
	return &c.Upstreams[i]
}
