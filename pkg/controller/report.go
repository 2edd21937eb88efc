package controller

import (
	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/events"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/status"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxLogged bounds the findings that one run writes into the log.
const maxLogged = 100

// reporter takes what was published to those who write it down.
type reporter struct {
	log    logr.Logger
	status *status.Writer
	// events writes what the leader alone writes, own what each process writes,
	// for the others do not know of it; nil where no Events are made.
	events, own *events.Writer
	// self is the object of findings about this process.
	self model.Object
	// leads tells whether this process is the one that reports. The others find
	// the same, and log it for who asks.
	leads func() bool
}

// report takes the findings of a new state on.
func (r *reporter) report(old, next *State) {
	r.status.Changed()
	if r.events != nil {
		var own, others []model.Finding
		for _, f := range next.Findings {
			if f.Object == r.self {
				own = append(own, f)
			} else {
				others = append(others, f)
			}
		}
		r.events.Publish(others)
		r.own.Publish(own)
	}
	log := r.log
	if !r.leads() {
		log = log.V(1)
	}
	LogFindings(log, old.Findings, next.Findings)
}

// LogFindings logs what was not there before, up to a bound.
func LogFindings(log logr.Logger, old, next []model.Finding) {
	known := make(map[model.Finding]bool, len(old))
	for _, f := range old {
		known[f] = true
	}
	n := 0
	for _, f := range next {
		if known[f] {
			continue
		}
		if n++; n <= maxLogged {
			log.Info(f.Message, "object", f.Object.String(), "severity", string(f.Severity), "reason", f.Reason, "field", f.Field, "value", f.Value)
		}
	}
	if n > maxLogged {
		log.Info("there are more findings; \"sidegate dump findings\" lists them", "more", n-maxLogged)
	}
}

// serviceChanged has the status compared when it is the publishing Service.
func (r *reporter) serviceChanged(o client.Object) {
	if client.ObjectKeyFromObject(o) == r.status.Service {
		r.status.Changed()
	}
}
