// Package nginx makes the co-located nginx serve a configuration, with proof.
//
// A generation is a finished nginx.conf and its id. Apply stages it, has
// `nginx -t` test it, publishes it by swapping a symbolic link, signals the
// master, and confirms: every worker that accepts connections answers with the
// new id on a unix socket, and no worker from before the signal accepts any.
// It exists because a signal has no answer: an nginx that refuses at run time
// what it accepted in the test goes on with what it had, and says so in its
// log only.
//
// A generation that nginx refuses is never published. One that nginx does not
// come to serve is taken back, so that an nginx that starts comes up with the
// last good one.
//
// The package talks to nginx by files, signals, /proc and a socket only, so
// that nginx can be a process in another container of the same process
// namespace, one that somebody else starts, or the child that Spawn runs. It
// must run as nginx's user or as root.
//
// What it asks of a configuration: `pid` names Options.PIDFile, and a server on
// Options.StatusSocket answers /generation with an id, a pid and a version
// (return 200 "ID $pid $nginx_version\n"; without the version only Version
// fails) and /nginx_status with stub_status.
//
// The package knows no Kubernetes and imports nothing of ours.
package nginx
