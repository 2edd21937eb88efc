package main

import (
	"runtime/debug"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// takePrivileges adapts to a binary whose file has capabilities, as in the
// image: permitted only, so that it also starts where they are not given.
//
// For such a binary Go prints no stack at a panic, as if secrets of root's were
// on it; there are none. And the kernel shows what a process reads and writes
// (/proc/PID/io, for nginx's metrics) only to one whose effective capabilities
// are not fewer, so what is permitted is made effective, on all threads. Where
// that fails, those metrics stay at 0, and nothing else.
func takePrivileges() {
	debug.SetTraceback("single")
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if unix.Capget(&header, &sets[0]) != nil || sets[0].Permitted|sets[1].Permitted == 0 {
		return
	}
	for i := range sets {
		sets[i].Effective = sets[i].Permitted
	}
	_, _, _ = syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0)
}
