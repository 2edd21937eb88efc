// Package debug shows what the controller has done: the live nginx.conf, the
// model, endpoints, findings, the history of generations, and, for a URL, what
// nginx does with it and why.
//
// It only reads, through the View that it is given, what the pipeline has
// published. Private keys are not in there: the model's type for them prints a
// hash. It may import model, nginx, discovery and explain.
package debug
