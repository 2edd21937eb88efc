// Package status writes the addresses of the entry point into the status of
// Ingresses, and takes them away when the last pod of ours ends.
//
// Others rely on it (external-dns makes records of it), so it is only ever
// emptied by Remove: an address that is not known at the moment is no reason.
// Each Ingress is written by itself, with a back-off of its own. It reads
// through the interfaces that it is given, and is to run in one process at a
// time; who that is, is not decided here.
package status
