// Package translate decides what nginx is to do: it turns a snapshot of the
// cluster into a model.Config and findings.
//
// It exists so that every rule of compatibility stands in one pure step, fed
// with Kubernetes objects and compared as data. The work is an ordered list
// of small processors (see processors.go), each about one subject. A
// processor does no I/O, reads no clock and reports a bad value as a finding
// on its object: a value that cannot be used never concerns anybody else.
//
// It may import snapshot, annotations, settings and model.
package translate
