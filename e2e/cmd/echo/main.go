// Echo is the application of the demo: see package echo.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sidegate/sidegate/pkg/echo"
)

// getenv is the environment, with what a kubelet tells a pod otherwise: the
// name of its host is that of the pod.
func getenv(name string) string {
	value := os.Getenv(name)
	if value == "" && name == "POD_NAME" {
		value, _ = os.Hostname() // without one it is a pod without a name
	}
	return value
}

func main() {
	mode := flag.String("mode", string(echo.Echo), "what to answer: echo, or default-backend")
	delay := flag.Duration("shutdown-delay", time.Second, "for how long to go on serving after SIGTERM, failing readiness")
	flag.Parse()
	if m := echo.Mode(*mode); m != echo.Echo && m != echo.DefaultBackend {
		fmt.Fprintf(os.Stderr, "echo: --mode=%s: want echo or default-backend\n", m)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := echo.Program(echo.Mode(*mode), *delay)(ctx, getenv); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}
