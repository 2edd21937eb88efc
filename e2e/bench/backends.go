package main

import (
	"io"
	"net"
	"net/http"
	"net/netip"

	"github.com/sidegate/sidegate/e2e/kit"
)

// backends are six addresses on which this process answers with the address
// itself: three that Services have at first, and three that take over.
type backends struct {
	block         *kit.Block
	first, second []netip.Addr
	servers       []*http.Server
}

func startBackends() (_ *backends, err error) {
	b := &backends{}
	if b.block, err = kit.ReserveBlock(); err != nil {
		return nil, err
	}
	for i := range 6 {
		address, err := b.block.Take()
		if err != nil {
			return b, err
		}
		l, err := net.Listen("tcp", netip.AddrPortFrom(address, backendPort).String())
		if err != nil {
			return b, err
		}
		if i < 3 {
			b.first = append(b.first, address)
		} else {
			b.second = append(b.second, address)
		}
		name := address.String()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, name) // the client has gone
		})}
		b.servers = append(b.servers, server)
		go func() { _ = server.Serve(l) }() // it ends with close
	}
	return b, nil
}

func (b *backends) close() {
	for _, s := range b.servers {
		_ = s.Close()
	}
	_ = b.block.Close()
}
