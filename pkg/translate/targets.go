package translate

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// Targets says where requests of clients may be sent. What nginx can reach and
// its clients cannot is no target: other processes of the pod, the node's and
// the cloud's services at link-local addresses, and nginx itself.
type Targets struct {
	// AllowLoopback is for tests and demonstrations.
	AllowLoopback bool
	// Own are the addresses of this machine or pod, and Ports what it listens on
	// there. Other ports are somebody else's where the pod has the host's network.
	Own   []netip.Addr
	Ports []uint16
}

var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	// translated addresses end in one of IPv4: those of NAT64 (RFC 6052), of a NAT64
	// of one's own (RFC 8215), and those that were to be compatible (RFC 4291).
	translated = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("::/96")}
	broadcast  = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	// clouds tell credentials of the node at some addresses that are not
	// link-local: Alibaba Cloud, Azure, Oracle Cloud (at last, by IPv6), AWS (IPv6:
	// metadata, pods' identities, time and names), Google Cloud (IPv6), Scaleway.
	clouds = []netip.Prefix{
		netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("192.0.0.192/32"),
		netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("fd20:ce::254/128"),
		netip.MustParsePrefix("fd00:42::42/128"),
	}
)

// Allowed tells whether requests may be sent there.
func (t Targets) Allowed(target netip.AddrPort) bool { return t.refusal(target) == "" }

// refusal says why nothing may be sent to a target; "" is that it may.
func (t Targets) refusal(target netip.AddrPort) string {
	a := target.Addr().Unmap().WithZone("")
	holds := func(p netip.Prefix) bool { return p.Contains(a) }
	if !a.IsUnspecified() && !a.IsLoopback() && slices.ContainsFunc(translated, holds) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	here := a.IsLoopback() || slices.Contains(t.Own, a)
	switch {
	case !a.IsValid():
		return "no address"
	case a.IsUnspecified(), thisNetwork.Contains(a):
		return "an unspecified address"
	case a.IsLinkLocalUnicast():
		return "a link-local address"
	case slices.ContainsFunc(clouds, holds):
		return "an address of a cloud's metadata"
	case a.IsMulticast():
		return "a multicast address"
	case a == broadcast:
		return "the broadcast address"
	case a.IsLoopback() && !t.AllowLoopback:
		return "an address on loopback"
	case here && slices.Contains(t.Ports, target.Port()):
		return "a port of this controller or of its nginx"
	}
	return ""
}

// outsideSuffix ends the names of model.Outside. It is no domain, and not the
// one of endpoints, so that neither can be taken for the other.
const outsideSuffix = ".sgx"

// maxName is the longest name that DNS has.
const maxName = 253

// outsideName checks a name that is to be looked up outside of the cluster's
// Services, in small letters or not.
func outsideName(name string, port uint16) (*model.Outside, error) {
	plain, absolute := strings.CutSuffix(strings.ToLower(name), ".")
	if _, err := model.NewHost(plain); err != nil || strings.HasPrefix(plain, "*") {
		return nil, &model.InvalidError{Rule: "be a DNS name, such as auth.example.com"}
	}
	// 127.1, 2130706433 and 0x7f.1 are addresses to some libraries.
	last := plain[strings.LastIndexByte(plain, '.')+1:]
	if last[0] >= '0' && last[0] <= '9' {
		return nil, &model.InvalidError{Rule: "be a DNS name, or an address of four whole numbers"}
	}
	asked := plain + "." + strconv.Itoa(int(port))
	if absolute {
		asked, plain = asked+".abs", plain+"."
	}
	if asked += outsideSuffix; len(asked) > maxName {
		return nil, &model.InvalidError{Rule: "be a DNS name of at most " + strconv.Itoa(maxName-len(".65535.abs"+outsideSuffix)) + " characters"}
	}
	return &model.Outside{Asked: model.Ident(asked), Name: plain, Port: port}, nil
}

// Outside lists the names that configurations have nginx ask for, by what it
// asks.
func Outside(configs ...*model.Config) map[string]model.Outside {
	out := map[string]model.Outside{}
	add := func(o *model.Outside) {
		if o != nil {
			out[string(o.Asked)] = *o
		}
	}
	for _, c := range configs {
		if c == nil {
			continue
		}
		for i := range c.Upstreams {
			add(c.Upstreams[i].Outside)
		}
		for i := range c.Servers {
			for j := range c.Servers[i].Locations {
				if a := model.GateOf[model.ExternalAuth](c.Servers[i].Locations[j].Gates); a != nil {
					add(a.Outside)
				}
			}
		}
	}
	return out
}
