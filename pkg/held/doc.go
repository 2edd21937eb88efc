// Package held keeps the last good versions of objects whose newest version is
// refused, so that they are served on after a restart of the container (a file)
// and by a new pod (one ConfigMap of ours).
//
// It decides nothing: what is held, and whether a version that was loaded is
// used, is the caller's matter, who has it tested like any other. What is stored
// is bounded. What cannot be read, or was not written by us, is normal input: it
// is logged and left alone.
package held
