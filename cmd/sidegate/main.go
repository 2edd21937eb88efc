package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	if err := newCommand().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
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
