package controller

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/metrics"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ElectionConfig says how one of several pods is chosen to write to the API.
type ElectionConfig struct {
	// Disable is for a process that is the only one.
	Disable bool
	// ID is the name of the lease, in Namespace.
	ID  string
	TTL time.Duration
	// Namespace and Pod are this process's. Outside of a pod, Pod is "".
	Namespace, Pod string
}

// leader has one process at a time do what only one should: write statuses,
// Events, and what is held. Losing the election ends nothing else.
type leader struct {
	ElectionConfig
	log     logr.Logger
	api     kubernetes.Interface
	metrics *metrics.Metrics
	// grace is for the whole end.
	grace time.Duration
	// duties run while this process leads; they return when ctx ends.
	duties []func(context.Context)
	// last is called when this process ends, leads, and no other of ours goes on.
	last func(context.Context)

	leads atomic.Bool
}

// Leads tells whether this process leads now.
func (l *leader) Leads() bool { return l.leads.Load() }

// Start runs until ctx ends and then ends in order, within the grace period.
func (l *leader) Start(ctx context.Context) error {
	if l.Disable {
		l.lead(ctx)
		l.end(ctx)
		return nil
	}
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := l.elect(ctx); err != nil {
			l.log.Error(err, "there is no election; nobody writes the status of Ingresses, nor Events")
		}
	}, time.Second)
	return nil
}

// elect stands for election once.
func (l *leader) elect(ctx context.Context) error {
	// The lease is held until what ends is done, so that no new leader writes
	// meanwhile.
	hold, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	leading := make(chan struct{})  // closed where this process has begun to lead
	finished := make(chan struct{}) // closed when it is done with that
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: l.Namespace, Name: l.ID},
			Client:     l.api.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: cmp.Or(l.Pod, "sidegate")},
		},
		LeaseDuration: l.TTL, RenewDeadline: l.TTL / 2, RetryPeriod: l.TTL / 4,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(held context.Context) {
				close(leading)
				defer close(finished)
				held, cancel := context.WithCancel(held)
				defer cancel()
				defer context.AfterFunc(ctx, cancel)()
				l.log.Info("this process leads: it writes the status of Ingresses, and Events")
				l.lead(held)
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); elector.Run(hold) }()
	select {
	case <-stopped: // the lease is lost
		awaitDuties(leading, finished)
		return nil
	case <-ctx.Done():
	}
	limit, cancel := l.deadline(ctx)
	defer cancel()
	lastOne := false
	if elector.IsLeader() {
		select {
		case <-finished:
			lastOne = l.finish(limit)
		case <-limit.Done():
		}
	}
	release()
	select {
	case <-stopped: // and the lease is free for the next one
	case <-limit.Done():
		return nil
	}
	if lastOne {
		l.removeLease(limit)
	}
	return nil
}

// awaitDuties waits until a process that led has finished.
func awaitDuties(leading, finished <-chan struct{}) {
	select {
	case <-leading:
		<-finished
	default:
	}
}

// lead does the duties until ctx ends.
func (l *leader) lead(ctx context.Context) {
	l.leads.Store(true)
	l.metrics.Leader(l.ID, true)
	var group sync.WaitGroup
	for _, duty := range l.duties {
		group.Go(func() { duty(ctx) })
	}
	<-ctx.Done()
	group.Wait()
	l.leads.Store(false)
	l.metrics.Leader(l.ID, false)
}

// deadline is when the end must be over, for the process to end in order.
func (l *leader) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), l.grace*8/10)
}

func (l *leader) end(ctx context.Context) {
	limit, cancel := l.deadline(ctx)
	defer cancel()
	l.finish(limit)
}

// finish does what is left to the last one, and tells whether this is it.
func (l *leader) finish(ctx context.Context) bool {
	if l.last == nil {
		return false
	}
	others, err := l.othersRun(ctx)
	switch {
	case err != nil:
		l.log.Error(err, "whether other pods go on is not known; the addresses in the status of Ingresses, and the lease, stay")
		return false
	case others:
		return false // the next leader goes on
	}
	l.last(ctx)
	return true
}

func (l *leader) removeLease(ctx context.Context) {
	err := l.api.CoordinationV1().Leases(l.Namespace).Delete(ctx, l.ID, metav1.DeleteOptions{})
	if client.IgnoreNotFound(err) != nil {
		l.log.Error(err, "the lease of the election cannot be removed", "lease", l.Namespace+"/"+l.ID)
	}
}
