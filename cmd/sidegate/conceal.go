package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// conceal makes what /proc has of this process root's. In the pod nginx shares
// the process namespace and the user, and /proc/PID/root would lead it to the
// controller's files, of which one is the token, and /proc/PID/mem to its memory.
func conceal() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("this process cannot be hidden from others of its user, such as nginx: %w", err)
	}
	return nil
}
