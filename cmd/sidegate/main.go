package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	takePrivileges()
	// QUIT too: images of nginx have it as their stop signal, and the
	// controller runs from the same image.
	ctx, stop := signal.NotifyContext(ctrl.SetupSignalHandler(), syscall.SIGQUIT)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "sidegate:", err)
		os.Exit(1)
	}
}

// newCommand is the root command with all that belongs to it.
func newCommand() *cobra.Command {
	root := newRootCommand()
	root.AddCommand(newServeCommand(), newRenderCommand(), newExplainCommand(), newDumpCommand(), newVersionCommand(), newDocsCommand())
	return root
}
