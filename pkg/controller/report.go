package controller

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// reporter tells the owners of objects what was found, and wakes the writer
// of the status.
type reporter struct {
	events  events.EventRecorder
	publish types.NamespacedName
	// wake has the status written.
	wake chan struct{}
	log  func(f model.Finding)
}

func newReporter(mgr manager.Manager, c ClusterConfig) *reporter {
	r := &reporter{publish: c.Status.Service, wake: make(chan struct{}, 1)}
	if !c.DisableEvents {
		r.events = mgr.GetEventRecorder("sidegate")
	}
	log := c.Log.WithName("findings")
	r.log = func(f model.Finding) {
		log.Info(f.Message, "object", f.Object.String(), "severity", string(f.Severity), "reason", f.Reason, "field", f.Field, "value", f.Value)
	}
	return r
}

// report makes an event of each finding that is new.
func (r *reporter) report(old, next *State) {
	r.poke()
	known := make(map[model.Finding]bool, len(old.Findings))
	for _, f := range old.Findings {
		known[f] = true
	}
	for _, f := range next.Findings {
		if known[f] {
			continue
		}
		r.log(f)
		if r.events == nil || f.Object.Name == "" {
			continue
		}
		kind := corev1.EventTypeWarning
		if f.Severity == model.Info {
			kind = corev1.EventTypeNormal
		}
		r.events.Eventf(reference(f.Object), nil, kind, f.Reason, "Translate", "%s", note(f))
	}
}

// note is a finding without its object, which the event names anyway.
func note(f model.Finding) string {
	text := strings.TrimPrefix(f.String(), f.Object.String()+": "+f.Reason+": ")
	// The API refuses longer notes.
	return text[:min(len(text), 1000)]
}

// reference names an object to an event.
func reference(o model.Object) *corev1.ObjectReference {
	version := "v1"
	if o.Kind == "Ingress" {
		version = "networking.k8s.io/v1"
	}
	return &corev1.ObjectReference{APIVersion: version, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// serviceChanged wakes the writer when it is the publishing Service.
func (r *reporter) serviceChanged(o client.Object) {
	if client.ObjectKeyFromObject(o) == r.publish {
		r.poke()
	}
}

func (r *reporter) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
