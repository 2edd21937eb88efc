package controller

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/held"
	"github.com/sidegate/sidegate/pkg/quarantine"
	"github.com/sidegate/sidegate/pkg/snapshot"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// keeper keeps the last good versions of what is held where they outlive this
// process: in a file for the next process of this pod, and in one object of the
// API for new pods, which the leader alone writes.
type keeper struct {
	log logr.Logger
	// file and shared may be nil: then nothing is kept there.
	file, shared held.Store

	wake chan struct{}
	// list is what is held now; nil before the first run.
	list atomic.Pointer[[]held.Held]
}

func newKeeper(log logr.Logger, file held.Store) *keeper {
	return &keeper{log: log, file: file, wake: make(chan struct{}, 1)}
}

// keep keeps the list.
func (k *keeper) keep(ctx context.Context, list []held.Held) {
	k.list.Store(&list)
	if k.file != nil {
		if err := k.file.Save(ctx, list); err != nil {
			k.log.Error(err, "this pod serves on")
		}
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// load returns what was kept: by the process before in this pod, or else by the
// leader.
func (k *keeper) load(ctx context.Context) []held.Held {
	for _, store := range []held.Store{k.file, k.shared} {
		if store == nil {
			continue
		}
		var list []held.Held
		again := func(error) bool { return store == k.shared && ctx.Err() == nil }
		err := retry.OnError(loadBackOff, again, func() (err error) {
			list, err = store.Load(ctx)
			return err
		})
		if err != nil {
			k.log.Error(err, "it is gone on without")
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// loadBackOff is for an API server that does not answer for a moment: a process
// that begins without the good versions, and then leads, would write them over.
var loadBackOff = wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Steps: 5}

// saveRetry is the pause after a save that failed.
const saveRetry = 5 * time.Second

// run keeps the list for new pods until ctx ends. It is a duty of the leader.
func (k *keeper) run(ctx context.Context) {
	for {
		var again <-chan time.Time
		if list := k.list.Load(); list != nil {
			if err := k.shared.Save(ctx, *list); err != nil && ctx.Err() == nil {
				k.log.Error(err, "it is tried again")
				again = time.After(saveRetry)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-k.wake:
		}
	}
}

// held are the refusals with the versions that stand in their place.
func (a *admission) held(refusals []quarantine.Refusal) []held.Held {
	out := make([]held.Held, 0, len(refusals))
	for _, r := range refusals {
		h := held.Held{Object: r.Object, Bad: r.Version, Message: r.Fault.String()}
		switch good := a.good[r.Object].(type) {
		case *networkingv1.Ingress:
			h.Ingress = good
		case *corev1.ConfigMap:
			h.ConfigMap = good
		}
		out = append(out, h)
	}
	return out
}

// restore begins with what was kept.
func (a *admission) restore(list []held.Held) {
	var refusals []quarantine.Refusal
	for _, h := range list {
		r := quarantine.Refusal{
			Subject: quarantine.Subject{Object: h.Object, Version: h.Bad, Unchecked: true, Common: h.Object.Kind == "ConfigMap"},
			Fault:   quarantine.Fault{Cause: h.Message},
		}
		var good client.Object
		switch {
		case h.Ingress != nil:
			good = h.Ingress
		case h.ConfigMap != nil:
			good = h.ConfigMap
		}
		if good != nil {
			r.Good = snapshot.Version(good)
			a.good[h.Object] = good
		}
		refusals = append(refusals, r)
	}
	a.quarantine.Restore(refusals)
}
