package standin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sidegate/sidegate/pkg/echo"
)

const (
	// replicas are the pods of a Service: enough to see how requests are shared
	// out, and that a session stays.
	replicas = 3
	// leave is for how long pods that are no longer wanted go on answering:
	// until nginx has the configuration without them.
	leave = 5 * time.Second
	// attempts are the blocks of addresses that are tried for a Service. A
	// block is in use where another `sidegate serve` has the same Service.
	attempts = 16
	// elsewhere is added to a port that cannot be had, for one that can.
	elsewhere = 10000
)

// group are the pods of one Service.
type group struct {
	key   types.NamespacedName
	ports []port // that were wanted
	// listens are the ports with the numbers that were to be had; fewer where
	// some were not.
	listens []port
	pods    []netip.Addr
	// end lets the pods drain, close ends them at once.
	end, close func()
}

// start starts the pods of a Service. What cannot be had is logged.
func (s *Source) start(key types.NamespacedName, ports []port) *group {
	log := s.Log.WithValues("service", key.String())
	g := &group{key: key, ports: ports, end: func() {}, close: func() {}}
	var numbers []int32
	for _, p := range ports {
		number, why, err := s.number(key, p.number)
		if err != nil {
			log.Error(err, "a port of the Service cannot be listened on, and is not answered", "port", p.number)
			continue
		}
		if number != p.number {
			log.Info("a port of the Service is answered on another number", "port", p.number, "number", number, "why", why)
		}
		g.listens = append(g.listens, port{p.name, number})
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	if len(numbers) == 0 {
		return g
	}
	listeners, err := g.listen(numbers)
	if err != nil {
		g.listens = nil
		log.Error(err, "the Service is not answered")
		return g
	}
	g.serve(listeners, s.mode(key), func(err error) { log.Error(err, "a pod of the built-in echo has ended") })
	log.Info("the Service has no EndpointSlice: the built-in echo answers", "addresses", g.pods, "ports", numbers)
	return g
}

func (s *Source) mode(key types.NamespacedName) echo.Mode {
	if key == s.DefaultBackend {
		return echo.DefaultBackend
	}
	return echo.Echo
}

// number is the port to listen on for one that is wanted: another one where that
// is taken at every address, or only for root, and why.
func (s *Source) number(key types.NamespacedName, want int32) (number int32, why string, err error) {
	for _, n := range []int32{want, want + elsewhere, want - elsewhere} {
		if n < 1 || n > maxPort {
			continue
		}
		if slices.Contains(s.Reserved, n) {
			why = cmp.Or(why, "nginx listens on it")
			continue
		}
		// Another address may help where somebody has only this one.
		for attempt := range 3 {
			var l net.Listener
			if l, err = listen(address(key, attempt, replicas+1), n); err == nil {
				return n, why, l.Close()
			}
			if !errors.Is(err, syscall.EADDRINUSE) {
				break
			}
		}
		why = cmp.Or(why, err.Error())
	}
	if err == nil {
		err = errors.New(why)
	}
	return 0, "", err
}

// listen takes addresses for the pods at which all the numbers are free. There
// is a list of listeners for each pod.
func (g *group) listen(numbers []int32) (pods [][]net.Listener, err error) {
	for attempt := range attempts {
		g.pods, pods = nil, nil
		for i := range replicas {
			ip := address(g.key, attempt, i+1)
			var listeners []net.Listener
			for _, n := range numbers {
				var l net.Listener
				if l, err = listen(ip, n); err != nil {
					break
				}
				listeners = append(listeners, l)
			}
			g.pods, pods = append(g.pods, ip), append(pods, listeners)
			if err != nil {
				break
			}
		}
		if err == nil {
			return pods, nil
		}
		for _, l := range slices.Concat(pods...) {
			_ = l.Close() // nobody has used it
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	g.pods = nil
	return nil, err
}

func listen(ip netip.Addr, port int32) (net.Listener, error) {
	return net.Listen("tcp4", netip.AddrPortFrom(ip, uint16(port)).String())
}

// address is the one of a pod: the same each time, as a cookie for a sticky
// session is made of it. An attempt is a block of 256 addresses between
// 127.64.0.0 and 127.127.255.255.
func address(key types.NamespacedName, attempt, pod int) netip.Addr {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %d", key, attempt) //nolint:errcheck // a hash takes everything
	sum := h.Sum32()
	return netip.AddrFrom4([4]byte{127, 64 + byte(sum>>8)&63, byte(sum), byte(pod)})
}

// serve answers on the listeners of each pod.
func (g *group) serve(pods [][]net.Listener, mode echo.Mode, failed func(error)) {
	ctx, cancel := context.WithCancel(context.Background())
	g.end = cancel
	g.close = func() {
		cancel()
		for _, l := range slices.Concat(pods...) {
			_ = l.Close() // it may be closed already
		}
	}
	for i, listeners := range pods {
		server := &echo.Server{Mode: mode, Pod: g.podName(i), Namespace: g.key.Namespace, ShutdownDelay: leave}
		go func() {
			if err := server.Serve(ctx, listeners...); err != nil && ctx.Err() == nil {
				failed(err)
			}
		}()
	}
}

func (g *group) podName(i int) string { return fmt.Sprintf("%s-%d", g.key.Name, i+1) }

// slice is the pods as a cluster would list them; nil where there are none.
func (g *group) slice() *discoveryv1.EndpointSlice {
	if len(g.pods) == 0 {
		return nil
	}
	out := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: g.key.Namespace, Name: g.key.Name + "-echo",
			Labels: map[string]string{discoveryv1.LabelServiceName: g.key.Name},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	for _, p := range g.listens {
		out.Ports = append(out.Ports, discoveryv1.EndpointPort{Name: &p.name, Port: &p.number, Protocol: new(corev1.ProtocolTCP)})
	}
	for i, ip := range g.pods {
		out.Endpoints = append(out.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{ip.String()},
			Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: g.key.Namespace, Name: g.podName(i)},
		})
	}
	return out
}
