package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// logger makes the log that the flags ask for.
func (o *options) logger() (logr.Logger, error) {
	var level zapcore.Level
	if err := level.Set(o.logLevel); err != nil {
		return logr.Logger{}, fmt.Errorf("--log-level: %w", err)
	}
	console := o.logFormat == "console"
	switch o.logFormat {
	case "auto":
		console = term.IsTerminal(int(os.Stderr.Fd()))
	case "json", "console":
	default:
		return logr.Logger{}, fmt.Errorf("--log-format must be json, console or auto, not %q", o.logFormat)
	}
	c := zap.NewProductionConfig()
	c.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	c.Sampling = nil
	c.DisableStacktrace = true
	if console {
		c = zap.NewDevelopmentConfig()
		c.DisableStacktrace, c.DisableCaller = true, true
	}
	c.Level = zap.NewAtomicLevelAt(level)
	z, err := c.Build()
	if err != nil {
		return logr.Logger{}, err
	}
	return zapr.NewLogger(z), nil
}

func (o *options) classes() snapshot.Classes {
	return snapshot.Classes{Controller: o.controllerClass, Class: o.ingressClass, ByName: o.ingressClassByName, WithoutClass: o.withoutClass, Offline: o.disableClasses}
}

// complete fills in what depends on other flags.
func (o *options) complete() error {
	dir, err := filepath.Abs(o.nginxDir)
	if err != nil {
		return err
	}
	o.nginxDir = dir
	for _, d := range []struct {
		value    *string
		fallback string
	}{{&o.nginxSecretsDir, "secrets"}, {&o.nginxPIDFile, "run/nginx.pid"}} {
		if *d.value == "" {
			*d.value = filepath.Join(dir, d.fallback)
		}
	}
	return nil
}

// translateOptions asks the machine for what the flags leave open.
func (o *options) translateOptions(info nginx.Info) (translate.Options, error) {
	backend, err := objectName("default-backend-service", o.defaultBackend)
	if err != nil {
		return translate.Options{}, err
	}
	certificate, err := objectName("default-ssl-certificate", o.defaultCertificate)
	if err != nil {
		return translate.Options{}, err
	}
	t := translate.Options{
		AnnotationPrefixes:  []string{o.annotationsPrefix, annotations.LegacyPrefix},
		DefaultBackend:      backend,
		DefaultCertificate:  certificate,
		StrictHostOwnership: o.strictHostOwnership,
		DisableCatchAll:     o.disableCatchAll,
		DisableExternalName: o.disableExternalName,
		HTTPPort:            o.httpPort, HTTPSPort: o.httpsPort,
		IPv6:      hasIPv6(),
		User:      o.nginxUser,
		Directory: o.nginxDir, SecretsDirectory: o.nginxSecretsDir, LogDirectory: o.nginxLogDir,
		PIDFile:      o.nginxPIDFile,
		MaxOpenFiles: maxOpenFiles(),
		Targets:      o.targets(),
	}
	t.ClusterResolvers, t.Search = o.nameServers()
	if t.User == "" && os.Geteuid() == 0 {
		// Workers of another user could not read the keys.
		t.User = "root"
	}
	if _, err := os.Stat(o.scriptFile); err == nil {
		t.JSModule = info.Module(o.nginxModulesDir, "ngx_http_js_module.so")
		t.JSFile = o.scriptFile
	}
	return t, nil
}

// core makes the configuration of the part that runs nginx.
func (o *options) core(ctx context.Context, log logr.Logger, registry prometheus.Registerer) (controller.Config, error) {
	address, err := o.discovery()
	if err != nil {
		return controller.Config{}, err
	}
	info, err := nginx.Inspect(ctx, o.nginxBinary)
	if err != nil {
		return controller.Config{}, err
	}
	t, err := o.translateOptions(info)
	if err != nil {
		return controller.Config{}, err
	}
	if t.SelfSigned, err = selfSigned(o.nginxSecretsDir, time.Now()); err != nil {
		return controller.Config{}, err
	}
	return controller.Config{
		Log:       log,
		Nginx:     nginx.Options{Binary: o.nginxBinary, Dir: o.nginxDir, PIDFile: o.nginxPIDFile},
		Spawn:     o.nginxSpawn,
		Translate: t, TemplateDir: o.templateDir,
		Discovery: address, DiscoveryCount: o.discoveryListeners,
		Registry: registry, Version: version,
		Identity: metrics.Identity{Class: o.controllerClass, Namespace: os.Getenv("POD_NAMESPACE"), Pod: os.Getenv("POD_NAME")},
	}, nil
}

// hasIPv6 tries it: containers often have none.
func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::]:0")
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// maxOpenFiles is the hard limit of this process, which is that of nginx's
// container too. Without bounds it is a number that is enough.
func maxOpenFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Max, 1<<20))
}
