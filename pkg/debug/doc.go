// Package debug shows what the controller has done: the live nginx.conf, the
// model, endpoints, findings, the history of generations, and, for a URL, which
// Ingress answers it and why.
//
// It only reads what the pipeline has published. Private keys are not in what
// it reads from: the model's type for them prints a hash. It may import
// controller and what that publishes.
package debug
