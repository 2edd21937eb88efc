package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// socketBuffer holds the burst of questions that nginx sends at a start.
const socketBuffer = 4 << 20

// Server answers from a Table.
type Server struct {
	table     *Table
	addresses []string
	// Lookup answers for the names outside; nil answers SERVFAIL.
	Lookup *Lookup

	// Answered, Refused and Empty count questions by what was answered:
	// addresses, SERVFAIL, and no address.
	Answered, Refused, Empty atomic.Uint64
}

// NewServer returns a server for count consecutive ports from base upward,
// each with UDP and TCP.
func NewServer(table *Table, base netip.AddrPort, count int) *Server {
	s := &Server{table: table}
	for i := range count {
		s.addresses = append(s.addresses, netip.AddrPortFrom(base.Addr(), base.Port()+uint16(i)).String())
	}
	return s
}

// Addresses are what the server listens on, for nginx's resolver directive.
func (s *Server) Addresses() []string { return s.addresses }

// Run listens and answers until ctx ends. It calls ready when all sockets are
// bound. An address that cannot be bound is an error that names it: with
// fewer sockets than nginx was told of, a part of its questions would be lost.
func (s *Server) Run(ctx context.Context, ready func()) error {
	var servers []*dns.Server
	defer func() {
		for _, server := range servers {
			// The error is that of a server that did not start.
			_ = server.Shutdown()
		}
	}()
	failed := make(chan error, 2*len(s.addresses))
	var started sync.WaitGroup
	for _, address := range s.addresses {
		packets, err := net.ListenPacket("udp", address)
		if err != nil {
			return fmt.Errorf("discovery cannot listen on %s (another --discovery-address may be free): %w", address, err)
		}
		if udp, ok := packets.(*net.UDPConn); ok {
			// Best effort: the kernel caps what it grants.
			_ = udp.SetReadBuffer(socketBuffer)
			_ = udp.SetWriteBuffer(socketBuffer)
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return errors.Join(fmt.Errorf("discovery cannot listen on %s (another --discovery-address may be free): %w", address, err), packets.Close())
		}
		for _, server := range []*dns.Server{{PacketConn: packets}, {Listener: listener}} {
			server.Handler = s
			server.NotifyStartedFunc = started.Done
			servers = append(servers, server)
			started.Add(1)
			go func() {
				if err := server.ActivateAndServe(); err != nil {
					failed <- fmt.Errorf("discovery on %s: %w", address, err)
				}
			}()
		}
	}
	started.Wait()
	ready()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// ServeDNS answers a question.
func (s *Server) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative = true
	if len(q.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
		s.write(w, q, m)
		return
	}
	question := q.Question[0]
	name := strings.ToLower(strings.TrimSuffix(question.Name, "."))
	if outside, ok := s.table.outsideOf(name); ok && s.Lookup != nil {
		s.serveOutside(m, question, outside)
		s.write(w, q, m)
		return
	}
	e, record := s.table.lookup(name)
	if record == nil {
		m.Rcode = dns.RcodeServerFailure
		s.Refused.Add(1)
		s.write(w, q, m)
		return
	}
	addresses := record.Addrs
	if record.Marker {
		addresses = []netip.Addr{NoEndpoint}
	}
	s.fill(m, question, addresses, 0)
	s.write(w, q, m)
	e.told.Store(time.Now().UnixNano())
}

// fill puts the addresses of the family that is asked for into the answer. ttl
// is in seconds.
func (s *Server) fill(m *dns.Msg, question dns.Question, addresses []netip.Addr, ttl uint32) {
	header := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: ttl}
	for _, a := range addresses {
		switch {
		case question.Qtype == dns.TypeA && a.Is4():
			m.Answer = append(m.Answer, &dns.A{Hdr: header, A: a.AsSlice()})
		case question.Qtype == dns.TypeAAAA && a.Is6():
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: header, AAAA: a.AsSlice()})
		}
	}
	if len(m.Answer) > 0 {
		s.Answered.Add(1)
	} else {
		s.Empty.Add(1)
	}
}

// serveOutside answers with what the cluster's name servers say.
func (s *Server) serveOutside(m *dns.Msg, question dns.Question, o Outside) {
	if question.Qtype != dns.TypeA && question.Qtype != dns.TypeAAAA {
		s.Empty.Add(1)
		return
	}
	a := s.Lookup.find(o, question.Qtype)
	m.Authoritative, m.Rcode = false, a.rcode
	if a.rcode != dns.RcodeSuccess {
		s.Refused.Add(1)
		return
	}
	s.fill(m, question, a.addresses, a.ttl(time.Now()))
}

// write cuts the answer to what the transport carries; nginx then asks over
// TCP.
func (s *Server) write(w dns.ResponseWriter, q, m *dns.Msg) {
	size := dns.MaxMsgSize
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size = dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = max(size, int(opt.UDPSize()))
			m.SetEdns0(opt.UDPSize(), false)
		}
	}
	m.Truncate(size)
	// Who asked has gone, or asks again.
	_ = w.WriteMsg(m)
}
