package main

import (
	"net"
	"os"
	"syscall"
)

// What up and the process in the namespace say to each other, as JSON, over a
// pair of connected sockets. When the other end is closed without a word, the
// other process has ended: then so does this one.

// order is what up wants.
type order struct {
	// Controller starts the controller, or starts it anew, with these flags in
	// addition.
	Controller []string `json:"controller,omitempty"`
	// Keep says that up will go and that everything is to stay.
	Keep bool `json:"keep,omitempty"`
}

// report is what the process in the namespace answers.
type report struct {
	// Say is progress, to be printed; an answer is still to come.
	Say string `json:"say,omitempty"`
	// Err is why the order was not carried out; it was when this is empty.
	Err string `json:"err,omitempty"`
}

// entry is a socket that is handed into the namespace.
type entry struct {
	what   string
	port   int    // wanted outside, on 127.0.0.1; another is taken when it is in use
	inside string // where it leads to
}

// The entries, in the order in which their sockets are handed over.
var entries = []entry{
	{"http", 8080, "198.18.0.1:80"},
	{"https", 8443, "198.18.0.1:443"},
	{"api", 6443, "127.0.0.1:6443"},
	{"health", 10254, "127.0.0.1:10254"},
}

// The files that the process in the namespace inherits.
const (
	wireFD  = 3
	lockFD  = 4
	entryFD = 5 // and those that follow
)

// socketPair returns two connected sockets: a connection for this process, and
// a file for another one.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	other := os.NewFile(uintptr(fds[1]), "wire")
	conn, err := fileConn(fds[0])
	if err != nil {
		other.Close()
		return nil, nil, err
	}
	return conn, other, nil
}

// fileConn makes a connection of a descriptor, which it takes over.
func fileConn(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "wire")
	defer f.Close() // FileConn has a copy
	return net.FileConn(f)
}
