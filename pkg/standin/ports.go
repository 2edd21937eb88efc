package standin

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// port is one of a Service, and the number that its pods are to listen on.
type port struct {
	name   string
	number int32
}

// firstNamed is the number of a target port that has only a name, which in a
// cluster would be looked up in the pods: the usual one of web applications.
// Further names of the same Service get the numbers that follow.
const firstNamed = 8080

// portsOf are the TCP ports of a Service.
func portsOf(service *corev1.Service) (out []port) {
	used := map[int32]bool{}
	for _, p := range service.Spec.Ports {
		if p.TargetPort.Type == intstr.Int {
			used[targetOf(p)] = true
		}
	}
	named := map[string]int32{}
	for _, p := range service.Spec.Ports {
		if p.Protocol != "" && p.Protocol != corev1.ProtocolTCP {
			continue
		}
		number := targetOf(p)
		if p.TargetPort.Type == intstr.String && p.TargetPort.StrVal != "" {
			name := p.TargetPort.StrVal
			if named[name] == 0 {
				named[name] = firstNamed
				for used[named[name]] {
					named[name]++
				}
				used[named[name]] = true
			}
			number = named[name]
		}
		if number < 1 || number > maxPort {
			continue // no API server would take it
		}
		out = append(out, port{p.Name, number})
	}
	return out
}

const maxPort = 65535

// targetOf is the number of the target port, which is the Service's own where it
// says none.
func targetOf(p corev1.ServicePort) int32 {
	if p.TargetPort.Type == intstr.Int && p.TargetPort.IntVal != 0 {
		return p.TargetPort.IntVal
	}
	return p.Port
}
