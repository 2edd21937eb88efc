// Package debug shows what the controller has done: the live nginx.conf, the
// model, endpoints, findings, the history of generations, and, for a URL, what
// nginx does with it and why.
//
// It only reads, through the View that it is given, what the pipeline has
// published. Private keys are not in there: the model's type for them prints a
// hash. But whoever reads it sees every tenant's configuration, so it is served
// on a unix socket that is out of nginx's reach, and by TCP only for a token. It
// may import model, nginx, discovery, explain and sidedoor.
package debug
