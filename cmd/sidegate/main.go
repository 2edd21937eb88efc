package main

import (
	"fmt"
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	root := newRootCommand()
	root.AddCommand(newServeCommand(), newRenderCommand(), newExplainCommand(), newDumpCommand(), newVersionCommand())
	if err := root.ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "sidegate:", err)
		os.Exit(1)
	}
}
