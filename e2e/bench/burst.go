package main

import (
	"fmt"
	"net/http"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	burstChanges = 300
	burstTime    = 10 * time.Second
	// burstRounds are fewer than the samples of other figures: a round takes
	// half a minute.
	burstRounds = 3
)

// bursts measures what many changes in a short time do: in turns an Ingress is
// made, another one changed, and one removed. What counts is how long after the
// last change that one is live, and how many reloads it took until then.
func (s *suite) bursts() error {
	if err := s.needGateway(); err != nil {
		return err
	}
	var late, outside, count []float64
	for round := range burstRounds {
		if err := s.rest(); err != nil {
			return err
		}
		before, err := reloads(s.gateway)
		if err != nil {
			return err
		}
		last, changed, err := s.burst(round)
		if err != nil {
			return err
		}
		if err := s.served(last, http.StatusOK); err != nil {
			return err
		}
		took := time.Since(changed).Seconds()
		if err := s.rest(); err != nil { // the confirmation of the last one follows
			return err
		}
		all, err := s.generations()
		if err != nil {
			return err
		}
		after, err := reloads(s.gateway)
		if err != nil {
			return err
		}
		// The one that brought the last change stands first.
		late, outside, count = append(late, took), append(outside, took-all[0].Seconds), append(count, after-before)
		progress("  live %.2f s after the last change, one generation takes %.2f s; %.0f reloads", took, all[0].Seconds, after-before)
		if err := s.removeBurst(round); err != nil {
			return err
		}
	}
	s.results.set("burst", s.size, "", "s", late)
	s.results.set("burst-outside", s.size, "", "s", outside)
	s.results.set("burst-reloads", s.size, "", "", count)
	return nil
}

func burstName(round, i int) string { return fmt.Sprintf("burst-%d-%03d", round, i) }

// burst makes the changes at a constant rate, the last of which makes the
// Ingress last.
func (s *suite) burst(round int) (last string, changed time.Time, err error) {
	tick := time.NewTicker(burstTime / burstChanges)
	defer tick.Stop()
	for i := range burstChanges {
		select {
		case <-s.ctx.Done():
			return "", changed, s.ctx.Err()
		case <-tick.C:
		}
		switch {
		case i == burstChanges-1 || i%3 == 0:
			last = burstName(round, i)
			err = s.api.Create(s.ctx, burstIngress(last))
		case i%3 == 1:
			err = s.touch(fillerName(i % s.size))
		default:
			err = s.api.Delete(s.ctx, &networkingv1.Ingress{ObjectMeta: meta(burstName(round, i-2))})
		}
		if err != nil {
			return "", changed, err
		}
	}
	return last, time.Now(), nil
}

// burstIngress is one on the Service of the first.
func burstIngress(name string) *networkingv1.Ingress {
	ing := ingress(name)
	for i := range ing.Spec.Rules[0].HTTP.Paths {
		ing.Spec.Rules[0].HTTP.Paths[i].Backend.Service.Name = fillerName(0)
	}
	return ing
}

// touch changes the second path of an Ingress.
func (s *suite) touch(name string) error {
	var ing networkingv1.Ingress
	if err := s.api.Get(s.ctx, client.ObjectKey{Namespace: namespace, Name: name}, &ing); err != nil {
		return err
	}
	path := &ing.Spec.Rules[0].HTTP.Paths[1].Path
	if *path == "/api" {
		*path = "/v2"
	} else {
		*path = "/api"
	}
	return s.api.Update(s.ctx, &ing)
}

func (s *suite) removeBurst(round int) error {
	for i := range burstChanges {
		err := s.api.Delete(s.ctx, &networkingv1.Ingress{ObjectMeta: meta(burstName(round, i))})
		if client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return s.rest()
}
