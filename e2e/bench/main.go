package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// options are the flags.
type options struct {
	sizes   []int
	only    []string
	samples int
	// cycle is how long each run of the load generator of throughput takes.
	cycle    time.Duration
	rollouts int
	out      string
	// profiles is the folder for profiles of the controller; none when empty.
	profiles string
}

// The measurements, in the order in which they run. All but the last three are
// made at every size.
var measurements = []string{"bytes", "start", "status", "changes", "endpoints", "burst", "memory", "throughput", "rollouts", "handshakes"}

func main() {
	ctrllog.SetLogger(logr.Discard()) // of the control plane's start; its errors are returned as well
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("sizes", "100,1000,3000", "numbers of Ingresses to measure at, ascending")
	only := flags.String("only", "", "what to measure, of "+strings.Join(measurements, ",")+"; all when empty. What is not measured stays in the results as it is")
	flags.IntVar(&o.samples, "samples", 20, "how many samples to take of each figure")
	flags.DurationVar(&o.cycle, "cycle", 3*time.Second, "how long each run of wrk takes")
	flags.IntVar(&o.rollouts, "rollouts", 100, "how many rolling replacements to make")
	flags.StringVar(&o.out, "out", "docs/benchmarks", "the folder for the results")
	flags.StringVar(&o.profiles, "profiles", "", "the folder for heap profiles of the controller at each size, for go tool pprof; none when empty")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for _, s := range strings.Split(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return o, fmt.Errorf("-sizes: %q is not a number of Ingresses", s)
		}
		o.sizes = append(o.sizes, n)
	}
	if !slices.IsSorted(o.sizes) {
		return o, fmt.Errorf("-sizes: want them ascending, not %s: Ingresses are added on the way", *sizes)
	}
	if *only == "" {
		o.only = measurements
		return o, nil
	}
	o.only = strings.Split(*only, ",")
	for _, name := range o.only {
		if !slices.Contains(measurements, name) {
			return o, fmt.Errorf("-only: there is no %q, only %s", name, strings.Join(measurements, ","))
		}
	}
	return o, nil
}

// run makes the measurements, and writes the results after each, so that what
// was measured before something failed is not lost.
func run(ctx context.Context, o options) error {
	results, err := loadResults(o.out)
	if err != nil {
		return err
	}
	if o.wants("bytes", "start", "status", "changes", "endpoints", "burst", "memory", "throughput") {
		if err := runSizes(ctx, o, results); err != nil {
			return err
		}
	}
	if o.wants("rollouts") {
		progress("rollouts")
		if err := rollouts(ctx, o, results); err != nil {
			return fmt.Errorf("rollouts: %w", err)
		}
	}
	if o.wants("handshakes") {
		progress("handshakes")
		if err := handshakes(ctx, o, results); err != nil {
			return fmt.Errorf("handshakes: %w", err)
		}
	}
	return results.write(o.out)
}

// runSizes makes the measurements that share one cluster, which grows.
func runSizes(ctx context.Context, o options, results *Results) (err error) {
	s, err := newSuite(ctx, o, results)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	measure := func(name string, f func() error) error {
		if !o.wants(name) {
			return nil
		}
		progress("%s at %d Ingresses", name, s.size)
		if err := f(); err != nil {
			return fmt.Errorf("%s at %d Ingresses: %w", name, s.size, err)
		}
		return results.write(o.out)
	}
	if err := measure("bytes", s.emptyConfiguration); err != nil {
		return err
	}
	for i, size := range o.sizes {
		if err := s.grow(size); err != nil {
			return fmt.Errorf("making %d Ingresses: %w", size, err)
		}
		steps := []struct {
			name string
			f    func() error
		}{
			{"bytes", s.configurationBytes}, {"start", s.starts}, {"status", s.statuses},
			{"changes", s.changes}, {"endpoints", s.endpoints}, {"burst", s.bursts}, {"memory", s.memory},
		}
		if i == 0 {
			steps = append(steps, struct {
				name string
				f    func() error
			}{"throughput", s.throughput})
		}
		for _, step := range steps {
			if err := measure(step.name, step.f); err != nil {
				return err
			}
		}
		if err := s.stopGateway(); err != nil {
			return err
		}
	}
	return nil
}

func (o options) wants(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(o.only, n) })
}

var began = time.Now()

// progress prints a line with the time since the start.
func progress(format string, args ...any) {
	fmt.Printf("[%4.0f s] "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
}
