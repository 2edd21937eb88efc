package main

import (
	"context"
	"errors"
	"sync"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// statusAddress is of a documentation range (RFC 5737).
const statusAddress = "192.0.2.1"

// statuses measures how long it takes from the start of both programs until
// all Ingresses, which say nothing before, have a status. Its end takes the
// addresses away again.
func (s *suite) statuses() error {
	var samples []float64
	for i := range s.options.samples {
		if err := s.stopGateway(); err != nil {
			return err
		}
		w, err := s.watchStatuses()
		if err != nil {
			return err
		}
		start := time.Now()
		err = s.startGateway("--publish-status-address=" + statusAddress)
		if err == nil {
			err = until(s.ctx, "the status of every Ingress", 10*time.Millisecond, w.complete)
		}
		samples = append(samples, w.last().Sub(start).Seconds())
		w.stop()
		if err != nil {
			return err
		}
		if (i+1)%5 == 0 {
			progress("  %d of %d: %.2f s", i+1, s.options.samples, samples[i])
		}
	}
	s.results.set("status", s.size, "", "s", samples)
	return s.stopGateway()
}

// statusWatch sees the statuses of Ingresses being written.
type statusWatch struct {
	stop func()
	want int

	mu     sync.Mutex
	have   map[string]bool
	latest time.Time
}

// watchStatuses watches until stop is called. It has seen all Ingresses, none of
// which may have a status, when it returns.
func (s *suite) watchStatuses() (*statusWatch, error) {
	clients, err := kubernetes.NewForConfig(s.plane.Config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	w := &statusWatch{want: s.size, have: map[string]bool{}}
	factory := informers.NewSharedInformerFactory(clients, 0)
	w.stop = func() { cancel(); factory.Shutdown() }
	informer := factory.Networking().V1().Ingresses().Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { w.see(o.(*networkingv1.Ingress)) },
		UpdateFunc: func(_, o any) { w.see(o.(*networkingv1.Ingress)) },
	}); err != nil {
		cancel()
		return nil, err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		w.stop()
		return nil, context.Cause(s.ctx)
	}
	if none := w.last().IsZero(); !none {
		w.stop()
		return nil, errors.New("there are Ingresses with a status before anything was started")
	}
	return w, nil
}

func (w *statusWatch) see(ing *networkingv1.Ingress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range ing.Status.LoadBalancer.Ingress {
		if i.IP == statusAddress && !w.have[ing.Name] {
			w.have[ing.Name] = true
			w.latest = time.Now()
		}
	}
}

func (w *statusWatch) complete() (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.have) == w.want, nil
}

// last is when the last of them was seen.
func (w *statusWatch) last() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest
}
