// Package nginx makes the co-located nginx serve a configuration, with proof.
//
// A generation is a finished nginx.conf and its id. Apply stages it, has
// `nginx -t` test it, publishes it by swapping a symbolic link, signals the
// master, and confirms: every worker that accepts connections answers with the
// new id on a unix socket, and no worker from before does. A generation that
// nginx refuses never becomes the published one.
//
// The package knows no Kubernetes and imports nothing of ours. It talks to
// nginx by files, signals and a socket only, so that nginx can be a process in
// another container, an nginx that somebody else starts, or its own child.
package nginx
