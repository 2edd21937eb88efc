package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// endpointServices are changed beside each other, at moments of their own.
	endpointServices = 5
	// endpointPause is between two requests that ask who answers.
	endpointPause = 5 * time.Millisecond
)

// endpoints measures how long it takes from a change of an EndpointSlice, all
// of whose addresses are others then, to the first answer of a new one. nginx
// asks for endpoints once a second, so the moments of the changes are random.
func (s *suite) endpoints() error {
	if err := s.needGateway(); err != nil {
		return err
	}
	before, err := reloads(s.gateway)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var samples []float64
	group, _ := errgroup.WithContext(s.ctx)
	for i := range endpointServices {
		name := fillerName(i * (s.size / endpointServices))
		group.Go(func() error {
			for range (s.options.samples + 1) / 2 { // there and back
				for _, to := range [][]netip.Addr{s.backends.second, s.backends.first} {
					took, err := s.switchEndpoints(name, to)
					if err != nil {
						return err
					}
					mu.Lock()
					samples = append(samples, took)
					mu.Unlock()
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	after, err := reloads(s.gateway)
	if err != nil {
		return err
	}
	progress("  %d changes, p50 %.0f ms, p99 %.0f ms", len(samples), percentile(samples, 50)*1000, percentile(samples, 99)*1000)
	s.results.set("endpoint", s.size, "", "s", samples)
	s.results.set("endpoint-reloads", s.size, "", "", []float64{after - before})
	return nil
}

// switchEndpoints changes the endpoints of a Service and returns after how many
// seconds the first of the new ones has answered.
func (s *suite) switchEndpoints(name string, to []netip.Addr) (float64, error) {
	if err := s.sleep(200*time.Millisecond + rand.N(time.Second)); err != nil {
		return 0, err
	}
	var slice discoveryv1.EndpointSlice
	if err := s.api.Get(s.ctx, client.ObjectKey{Namespace: namespace, Name: name + "-1"}, &slice); err != nil {
		return 0, err
	}
	slice.Endpoints = endpointList(to)
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, "http://"+entry+"/", nil)
	if err != nil {
		return 0, err
	}
	request.Host = host(name)
	start := time.Now()
	if err := s.api.Update(s.ctx, &slice); err != nil {
		return 0, err
	}
	err = until(s.ctx, "an answer of a new endpoint of "+name, endpointPause, func() (bool, error) {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s answers %s", host(name), response.Status)
		}
		return slices.ContainsFunc(to, func(a netip.Addr) bool { return bytes.Equal(body, []byte(a.String())) }), err
	})
	return time.Since(start).Seconds(), err
}
