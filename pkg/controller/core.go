package controller

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/held"
	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/quarantine"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/translate"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"
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

	changes *runs
	// tests is the version of the nginx that tests configurations.
	tests nginx.Version
	// masterSince is when the running master was first seen, in nanoseconds
	// since 1970; 0 is that there is none.
	masterSince atomic.Int64
	// knownSince is the masterSince of the master that has looked up all names.
	knownSince atomic.Int64
}

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
	core := &Core{Config: c, Server: discovery.NewServer(table, c.Discovery, c.DiscoveryCount), changes: newRuns(), tests: info.Version}
	core.Server.Lookup = newLookup(c)
	m := metrics.New(c.Registry, c.Identity, c.Version, metrics.Sources{Nginx: n, Questions: core.questions, State: core.published})
	m.Nginx(metrics.Tests, info.Version)
	c.Translate.Resolvers = core.Server.Addresses()
	core.Pipeline = &Pipeline{
		Log: c.Log.WithName("pipeline"), Source: source, Translator: translate.New(c.Translate),
		Renderer: renderer, Nginx: n, Files: nginx.LiveFiles{Dir: c.Translate.SecretsDirectory},
		Table: table, Metrics: m, Again: core.changes.trigger, Self: c.Self(),
		admission: admission{prefixes: c.Translate.AnnotationPrefixes, quarantine: quarantine.New(time.Now), good: map[model.Object]client.Object{}},
		keeper:    newKeeper(c.Log.WithName("held"), &held.File{Path: filepath.Join(c.Nginx.Dir, "held.gz"), Log: c.Log.WithName("held")}),
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
		c.Pipeline.Restore(ctx)
		c.changes.loop(ctx, func(why string) (time.Time, error) { return c.Pipeline.Run(ctx, why) })
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

// Ready tells why this process and its nginx cannot serve yet; nil means that
// they can. nginx serves if it has proved to serve a generation of ours and has
// been answered for all its names: before, it has no endpoints for them. A run
// that fails is no reason: nginx goes on with what it has, and all replicas see
// the same objects.
func (c *Core) Ready(*http.Request) error {
	s := c.Pipeline.State()
	since := c.masterSince.Load()
	switch {
	case s.Live == nil:
		return errors.New("no configuration has been made yet")
	case since == 0:
		return errors.New("nginx does not run")
	case !s.Confirmed:
		return errors.New("nginx has not confirmed the configuration")
	case c.knownSince.Load() == since:
		return nil // the names that come later are one Ingress's matter
	}
	if n := c.Pipeline.Table.Untold(serverNames(s.Live.Config), time.Unix(0, since)); n > 0 {
		return fmt.Errorf("nginx has not looked up %d upstream servers yet", n)
	}
	c.knownSince.Store(since)
	return nil
}

// Started tells whether nginx may start: a whole configuration is published.
func (c *Core) Started(*http.Request) error {
	if c.Pipeline.Nginx.Current() == "" || c.Pipeline.State().Live == nil {
		return errors.New("no configuration has been published yet")
	}
	return nil
}

// Self names this process in findings: its pod, where it has one.
func (c *Config) Self() model.Object {
	if c.Identity.Pod == "" {
		return model.Object{Kind: "Controller", Name: "sidegate"}
	}
	return model.Object{Kind: "Pod", Namespace: c.Identity.Namespace, Name: c.Identity.Pod}
}
