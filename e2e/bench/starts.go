package main

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// starts measures how long it takes from the start of both programs, with
// nothing on disk, until every host has answered 200, and counts every other
// answer that came after the controller said that it is ready.
func (s *suite) starts() error {
	var ready, served, bad []float64
	for i := range s.options.samples {
		if err := s.stopGateway(); err != nil {
			return err
		}
		start := time.Now()
		if err := s.startGateway(); err != nil {
			return err
		}
		ready = append(ready, time.Since(start).Seconds())
		wrong, err := s.askAll()
		if err != nil {
			return err
		}
		served, bad = append(served, time.Since(start).Seconds()), append(bad, float64(wrong))
		if (i+1)%5 == 0 {
			progress("  %d of %d: ready after %.2f s, all served after %.2f s, %d wrong answers", i+1, s.options.samples, ready[i], served[i], wrong)
		}
	}
	s.results.set("start-ready", s.size, "", "s", ready)
	s.results.set("start", s.size, "", "s", served)
	s.results.set("start-wrong", s.size, "", "", bad)
	return nil
}

// askers is how many hosts are asked at once.
const askers = 8

// askAll asks every host until it answers 200, and returns how many answers
// were another.
func (s *suite) askAll() (wrong int64, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askers}}
	defer client.CloseIdleConnections()
	var bad atomic.Int64
	group, ctx := errgroup.WithContext(s.ctx)
	group.SetLimit(askers)
	for i := range s.size {
		group.Go(func() error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+entry+"/", nil)
			if err != nil {
				return err
			}
			request.Host = host(fillerName(i))
			return until(ctx, "200 from "+request.Host, 10*time.Millisecond, func() (bool, error) {
				response, err := client.Do(request)
				if err != nil {
					return false, err
				}
				defer response.Body.Close()
				_, _ = io.Copy(io.Discard, response.Body)
				if response.StatusCode != http.StatusOK {
					bad.Add(1)
				}
				return response.StatusCode == http.StatusOK, nil
			})
		})
	}
	err = group.Wait()
	return bad.Load(), err
}
