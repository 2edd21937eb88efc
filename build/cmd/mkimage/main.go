package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sidegate/sidegate/build/dockerfile"
	"github.com/sidegate/sidegate/build/image"
	"github.com/spf13/pflag"
)

const usage = `mkimage makes a container image, as an archive for "ctr images import" and "docker load".

  mkimage --output FILE --tag NAME:TAG [flags] [/DESTINATION=SOURCE[:MODE]...]

A source that is a folder brings all below it. Flags:

`

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "mkimage:", err)
		os.Exit(1)
	}
}

// options are the values of the flags that need more than storing.
type options struct {
	output                      string
	created                     string
	labels, ports, capabilities []string
	dockerfile                  string
	buildArgs                   []string
}

func run(args []string, errors io.Writer) error {
	var spec image.Spec
	var o options
	c := &spec.Config
	f := pflag.NewFlagSet("mkimage", pflag.ContinueOnError)
	f.SortFlags = false
	f.Usage = func() { fmt.Fprint(errors, usage, f.FlagUsages()) }
	f.StringVarP(&o.output, "output", "o", "", "the archive")
	f.StringArrayVarP(&spec.Tags, "tag", "t", nil, "NAME:TAG of the image; may be given more than once")
	f.StringVar(&spec.Architecture, "arch", runtime.GOARCH, "the architecture, as Go names it")
	f.StringVar(&o.created, "created", os.Getenv("SOURCE_DATE_EPOCH"), "when it was made, in seconds since 1970; 1970 without it or SOURCE_DATE_EPOCH")
	f.StringVar(&spec.Root, "root", "", "a folder with the root file system")
	f.StringArrayVar(&o.capabilities, "cap", nil, "/PATH=CAPABILITIES of a file; may be given more than once")
	f.StringVar(&o.dockerfile, "dockerfile", "", "set what this file's final stage sets, instead of by the flags below; --label adds to it")
	f.StringArrayVar(&o.buildArgs, "build-arg", nil, "NAME=VALUE for an ARG of the Dockerfile; may be given more than once")
	f.StringArrayVar(&c.Entrypoint, "entrypoint", nil, "the command, a word each time it is given")
	f.StringArrayVar(&c.Cmd, "cmd", nil, "its default arguments, a word each time it is given")
	f.StringArrayVar(&c.Env, "env", nil, "NAME=VALUE; may be given more than once")
	f.StringVar(&c.User, "user", "", "UID[:GID]")
	f.StringVar(&c.WorkingDir, "workdir", "", "the working directory")
	f.StringVar(&c.StopSignal, "stop-signal", "", "such as SIGQUIT")
	f.StringArrayVar(&o.labels, "label", nil, "NAME=VALUE; may be given more than once")
	f.StringArrayVar(&o.ports, "expose", nil, "PORT[/tcp|/udp]; may be given more than once")
	if err := f.Parse(args); err != nil {
		if err == pflag.ErrHelp {
			return nil
		}
		return err
	}
	if err := o.complete(&spec, f.Args()); err != nil {
		return err
	}
	img, err := image.Build(&spec)
	if err != nil {
		return err
	}
	return write(o.output, img, spec.Tags)
}

// complete parses what is written as text.
func (o *options) complete(spec *image.Spec, files []string) error {
	if err := o.readDockerfile(spec); err != nil {
		return err
	}
	if o.output == "" {
		return fmt.Errorf("--output is missing: want the name of the archive")
	}
	if o.created != "" {
		seconds, err := strconv.ParseInt(o.created, 10, 64)
		if err != nil || seconds < 0 {
			return fmt.Errorf("--created or SOURCE_DATE_EPOCH is %q: want seconds since 1970", o.created)
		}
		spec.Created = time.Unix(seconds, 0)
	} else {
		spec.Created = time.Unix(0, 0)
	}
	for _, s := range files {
		f, err := image.ParseFile(s)
		if err != nil {
			return err
		}
		spec.Files = append(spec.Files, f)
	}
	spec.Capabilities = map[string]string{}
	for _, s := range o.capabilities {
		file, text, err := image.ParseCapability(s)
		if err != nil {
			return err
		}
		spec.Capabilities[file] = text
	}
	for _, s := range spec.Config.Env {
		if name, _, ok := strings.Cut(s, "="); !ok || name == "" {
			return fmt.Errorf("--env %q: want NAME=VALUE", s)
		}
	}
	for _, s := range o.labels {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return fmt.Errorf("--label %q: want NAME=VALUE", s)
		}
		if spec.Config.Labels == nil {
			spec.Config.Labels = map[string]string{}
		}
		spec.Config.Labels[name] = value
	}
	for _, s := range o.ports {
		port, err := image.ParsePort(s)
		if err != nil {
			return err
		}
		if spec.Config.ExposedPorts == nil {
			spec.Config.ExposedPorts = map[string]struct{}{}
		}
		spec.Config.ExposedPorts[port] = struct{}{}
	}
	return nil
}

// readDockerfile replaces the config by that of the Dockerfile, if there is one.
func (o *options) readDockerfile(spec *image.Spec) error {
	args := map[string]string{}
	for _, s := range o.buildArgs {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return fmt.Errorf("--build-arg %q: want NAME=VALUE", s)
		}
		args[name] = value
	}
	if o.dockerfile == "" {
		if len(args) > 0 {
			return fmt.Errorf("--build-arg is for a --dockerfile, and there is none")
		}
		return nil
	}
	if !reflect.ValueOf(spec.Config).IsZero() || len(o.ports) > 0 {
		return fmt.Errorf("--dockerfile sets what runs and as whom: of the flags for it only --label can be given beside")
	}
	f, err := os.Open(o.dockerfile)
	if err != nil {
		return err
	}
	defer f.Close()
	spec.Config, err = dockerfile.Config(f, args)
	return err
}

// write writes beside the archive and renames, so that one that is there is
// complete.
func write(name string, img v1.Image, tags []string) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	defer tmp.Close()
	if err := image.WriteArchive(tmp, img, tags...); err != nil {
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
