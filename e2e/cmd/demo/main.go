// Demo plays the walkthrough.
//
//	demo serve [--keep]  on a directory of manifests, which sidegate serves
//	demo up [--keep]     on a cluster and a gateway of its own
//	demo down            end and remove what --keep left running
//
// Without --keep all is ended after the last step.
//
// Of up everything runs in a network namespace without a way out, in which the pods
// have addresses of their own. What is to be reached from outside is: up makes
// listening sockets where its user is and hands them to the process in the
// namespace, which accepts there and connects on the inside; a socket stays in
// the namespace that it was made in.
//
// All state is in one folder: $SIDEGATE_DEMO_DIR, or sidegate-demo in
// $XDG_STATE_HOME (~/.local/state).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/sidegate/sidegate/e2e/walkthrough"
)

func main() {
	// net/http complains there of answers that a step provokes: nginx refuses the
	// PROXY protocol until it is told of it.
	log.SetOutput(io.Discard)
	err := run(os.Args[1:])
	switch {
	case errors.Is(err, walkthrough.ErrWrong): // said already, check by check
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: demo serve [--keep] | up [--keep] | down")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := stateDir()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	switch args[0] {
	case "serve":
		keep := flags.Bool("keep", false, "leave it running in the background")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return serve(ctx, dir, *keep)
	case "up":
		keep := flags.Bool("keep", false, "leave it running in the background")
		netns := flags.String("netns", "e2e/install/netns.sh", "the script that makes the network namespace")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return up(ctx, dir, *netns, *keep)
	case "down":
		return down(dir)
	case "inside": // run by up, in the namespace
		return inside(ctx, dir)
	default:
		return fmt.Errorf("unknown command %q: want serve, up or down", args[0])
	}
}

func stateDir() (string, error) {
	if dir := os.Getenv("SIDEGATE_DEMO_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "sidegate-demo"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "sidegate-demo"), nil
}
