package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pollPause is between two looks at whether a change is live.
const pollPause = 2 * time.Millisecond

// changes measures how long a new Ingress takes to be served. Its Service is
// new to nginx as well. Each is measured at rest, as a user's single change is:
// the controller makes one run a second at most.
func (s *suite) changes() error {
	if err := s.needGateway(); err != nil {
		return err
	}
	applications := make([]string, s.options.samples)
	for i := range applications {
		applications[i] = fmt.Sprintf("new-%03d", i)
		for _, o := range application(applications[i], s.backends.first) {
			if err := s.api.Create(s.ctx, o); err != nil {
				return err
			}
		}
	}
	var total, outside []float64
	steps := map[string][]float64{}
	for i, name := range applications {
		if err := s.rest(); err != nil {
			return err
		}
		start := time.Now()
		if err := s.api.Create(s.ctx, ingress(name)); err != nil {
			return err
		}
		if err := s.served(name, http.StatusOK); err != nil {
			return err
		}
		took := time.Since(start).Seconds()
		g, err := s.confirmedFor(name)
		if err != nil {
			return err
		}
		parses := g.step("test", "reload")
		total, outside = append(total, took), append(outside, took-parses)
		for _, step := range g.Steps {
			steps[step.Name] = append(steps[step.Name], step.Seconds)
		}
		if (i+1)%5 == 0 {
			progress("  %d of %d: %.0f ms, of that %.0f ms outside nginx's parses", i+1, len(applications), took*1000, (took-parses)*1000)
		}
		if err := s.api.Delete(s.ctx, &networkingv1.Ingress{ObjectMeta: meta(name)}); err != nil {
			return err
		}
		if err := s.served(name, http.StatusNotFound); err != nil {
			return err
		}
	}
	for _, name := range applications {
		for _, o := range application(name, nil) {
			if err := s.api.Delete(s.ctx, o); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
	}
	s.results.set("apply", s.size, "", "s", total)
	s.results.set("apply-outside", s.size, "", "s", outside)
	for name, samples := range steps {
		s.results.set("step", s.size, name, "s", samples)
	}
	return s.rest()
}

// rest waits until the controller has nothing to do and is free to begin at
// once, and a random moment more, so that samples do not fall in step with
// what happens every second.
func (s *suite) rest() error {
	return s.sleep(1100*time.Millisecond + rand.N(500*time.Millisecond))
}

// served waits until the host of an Ingress answers with the status.
func (s *suite) served(name string, status int) error {
	return until(s.ctx, fmt.Sprintf("status %d from %s", status, host(name)), pollPause, func() (bool, error) {
		return statusOf(host(name)) == status, nil
	})
}
