package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/procfs"
)

// emptyConfiguration measures the configuration without any Ingress, which
// configurationBytes takes off.
func (s *suite) emptyConfiguration() error { return s.recordBytes("bytes-total") }

// configurationBytes measures what each Ingress adds to the configuration.
func (s *suite) configurationBytes() error {
	if err := s.recordBytes("bytes-total"); err != nil {
		return err
	}
	empty, full := s.results.find("bytes-total", 0, ""), s.results.find("bytes-total", s.size, "")
	if empty == nil || full == nil {
		return errors.New("the empty configuration was not measured")
	}
	s.results.set("bytes", s.size, "", "B", []float64{(full.Samples[0] - empty.Samples[0]) / float64(s.size)})
	return nil
}

func (s *suite) recordBytes(id string) error {
	if err := s.needGateway(); err != nil {
		return err
	}
	text, err := s.configuration()
	if err != nil {
		return err
	}
	s.results.set(id, s.size, "", "B", []float64{float64(len(text))})
	return nil
}

const (
	memoryRest  = 10 * time.Second
	memoryPause = 250 * time.Millisecond
	megabyte    = 1e6
)

// memory measures the controller, and nginx, at rest after what the other
// measurements of this size have done to them.
func (s *suite) memory() error {
	if err := s.needGateway(); err != nil {
		return err
	}
	if err := s.sleep(memoryRest); err != nil {
		return err
	}
	samples := map[string][]float64{}
	for range s.options.samples {
		p, err := gatewayProcesses(s.gateway)
		if err != nil {
			return err
		}
		status, err := p.controller.NewStatus()
		if err != nil {
			return err
		}
		nginx, err := pss(p.nginx)
		if err != nil {
			return err
		}
		for id, bytes := range map[string]uint64{"rss": status.VmRSS, "rss-anon": status.RssAnon, "nginx-pss": nginx} {
			samples[id] = append(samples[id], float64(bytes)/megabyte)
		}
		if err := s.sleep(memoryPause); err != nil {
			return err
		}
	}
	for id, list := range samples {
		s.results.set(id, s.size, "", "MB", list)
	}
	progress("  controller %.0f MB (anonymous %.0f MB), nginx %.0f MB",
		percentile(samples["rss"], 50), percentile(samples["rss-anon"], 50), percentile(samples["nginx-pss"], 50))
	if s.options.profiles == "" {
		return nil
	}
	return s.profile("heap")
}

// profile keeps a profile of the controller.
func (s *suite) profile(name string) error {
	text, err := s.gateway.Debug(s.ctx, "/debug/pprof/"+name+"?gc=1")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.options.profiles, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.options.profiles, fmt.Sprintf("%s-%d.pprof", name, s.size)), text, 0o644)
}

// pss is what processes use together, in bytes: a page that several share
// counts once. nginx's workers share most with their master.
func pss(all []procfs.Proc) (sum uint64, err error) {
	for _, p := range all {
		rollup, err := p.ProcSMapsRollup()
		if err != nil {
			return 0, err
		}
		sum += rollup.Pss
	}
	return sum, nil
}
