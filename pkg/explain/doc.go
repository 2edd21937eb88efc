// Package explain says what nginx does with a request, and why: which server
// and which location it chooses, what answers before a backend does, which
// Ingress that comes from, and which endpoints there are now.
//
// It is a function of a model.Config and of what is known of endpoints, so it
// works on a live controller and on a directory of manifests. It follows
// nginx's own code where that is what decides (how a Host header and a path
// are read, how locations are searched, how a rewrite is put together), and
// its tests put the same requests to a real nginx. Where Go cannot tell what
// nginx would do, which is so for regular expressions that only PCRE knows,
// the explanation says that it is unsure, and of what.
//
// It may import model. It does no I/O and reads no clock.
package explain
