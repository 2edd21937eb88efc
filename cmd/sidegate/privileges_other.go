//go:build !linux

package main

// takePrivileges: capabilities of files are Linux's.
func takePrivileges() {}
