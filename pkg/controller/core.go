package controller

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/translate"
	"golang.org/x/sync/errgroup"
)

// Config says how a Core runs.
type Config struct {
	Log       logr.Logger
	Nginx     nginx.Options
	Spawn     bool
	Translate translate.Options
	// TemplateDir holds templates that replace the built-in ones; "" is none.
	TemplateDir string
	// Discovery is the first of DiscoveryCount addresses.
	Discovery      netip.AddrPort
	DiscoveryCount int
	Registry       prometheus.Registerer
	Identity       metrics.Identity
	Version        string
}

// Core is the part that does not know where snapshots come from: the
// pipeline, discovery, and nginx.
type Core struct {
	Config
	Pipeline *Pipeline
	Server   *discovery.Server

	changes *debouncer
	// tests is the version of the nginx that tests configurations.
	tests nginx.Version
	// masterSince is when the running master was first seen, in nanoseconds
	// since 1970; 0 is that there is none.
	masterSince atomic.Int64
}

// again stands in front of the reason of a run that was tried before.
const again = "try again: "

// resync is how often findings that depend on the time are looked at.
const resync = time.Hour

// NewCore prepares a Core. It fails where nginx is too old, and where the
// custom templates do not parse.
func NewCore(ctx context.Context, c Config, source Source) (*Core, error) {
	info, err := nginx.Inspect(ctx, c.Nginx.Binary)
	if err != nil {
		return nil, err
	}
	var overlay fs.FS
	if c.TemplateDir != "" {
		overlay = os.DirFS(c.TemplateDir)
	}
	renderer, err := render.New(overlay)
	if err != nil {
		return nil, err
	}
	n, err := nginx.New(c.Nginx)
	if err != nil {
		return nil, err
	}
	table := discovery.NewTable(c.Translate.Targets.Allowed)
	core := &Core{Config: c, Server: discovery.NewServer(table, c.Discovery, c.DiscoveryCount), changes: newDebouncer(), tests: info.Version}
	core.Server.Lookup = newLookup(c)
	m := metrics.New(c.Registry, c.Identity, c.Version, metrics.Sources{Nginx: n, Questions: core.questions})
	m.Nginx(metrics.Tests, info.Version)
	c.Translate.Resolvers = core.Server.Addresses()
	core.Pipeline = &Pipeline{
		Log: c.Log.WithName("pipeline"), Source: source, Translator: translate.New(c.Translate),
		Renderer: renderer, Nginx: n, Files: nginx.LiveFiles{Dir: c.Translate.SecretsDirectory},
		Table: table, Metrics: m, Again: core.changes.trigger,
	}
	return core, nil
}

// Trigger asks for a run of the pipeline and says why.
func (c *Core) Trigger(why string) { c.changes.trigger(why) }

// Run runs until ctx ends. It calls ready when discovery answers; the first
// run of the pipeline is the caller's to trigger.
func (c *Core) Run(ctx context.Context, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	bound := make(chan struct{})
	group.Go(func() error {
		return c.Server.Run(ctx, func() { close(bound); ready() })
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-bound:
		}
		c.changes.loop(ctx, func(why string) {
			if err := c.Pipeline.Run(ctx, why); err != nil && ctx.Err() == nil {
				time.AfterFunc(time.Second, func() { c.Trigger(again + strings.TrimPrefix(why, again)) })
			}
		})
		return nil
	})
	group.Go(func() error { return c.Pipeline.Nginx.Watch(ctx, func(pid int) { c.masterChanged(ctx, pid) }) })
	if c.Spawn {
		group.Go(func() error { return c.Pipeline.Nginx.Spawn(ctx, c.Log.WithName("nginx")) })
	}
	if c.TemplateDir != "" {
		group.Go(func() error { return c.watchTemplates(ctx) })
	}
	group.Go(func() error { c.tick(ctx); return nil })
	return group.Wait()
}

// tick does what is due by time.
func (c *Core) tick(ctx context.Context) {
	look, again := time.NewTicker(5*time.Second), time.NewTicker(resync)
	defer look.Stop()
	defer again.Stop()
	var rest idle
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			c.Trigger("time has passed")
		case <-look.C:
			c.observe()
			rest.look(c.Pipeline.state.Load())
		}
	}
}

// masterChanged is told of a master that starts or ends.
func (c *Core) masterChanged(ctx context.Context, pid int) {
	if pid == 0 {
		c.masterSince.Store(0)
		if c.Pipeline.State().Confirmed {
			c.Log.Info("nginx has ended")
		}
		return
	}
	c.masterSince.Store(time.Now().UnixNano())
	c.Log.Info("nginx runs", "pid", pid)
	go func() {
		if err := c.Pipeline.Reconfirm(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error(err, "a started nginx does not serve the published generation")
			c.Trigger("nginx started and was not confirmed")
		}
		c.compareVersions(ctx)
	}()
}

// Ready tells why this process and its nginx cannot serve everything yet;
// nil is that they can. Every name must have been answered to the nginx that
// runs: before, it has no endpoints for it.
func (c *Core) Ready(*http.Request) error {
	s := c.Pipeline.State()
	since := c.masterSince.Load()
	switch {
	case s.Config == nil:
		return errors.New("no configuration has been made yet")
	case since == 0:
		return errors.New("nginx does not run")
	case !s.Confirmed:
		return errors.New("nginx has not confirmed the configuration")
	}
	if n := c.Pipeline.Table.Untold(serverNames(s.Config), time.Unix(0, since)); n > 0 {
		return fmt.Errorf("nginx has not looked up %d upstream servers yet", n)
	}
	return nil
}

// Started tells whether nginx may start: a whole configuration is published.
func (c *Core) Started(*http.Request) error {
	if c.Pipeline.Nginx.Current() == "" || c.Pipeline.State().Config == nil {
		return errors.New("no configuration has been published yet")
	}
	return nil
}
