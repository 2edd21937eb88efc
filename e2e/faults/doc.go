// Package faults takes parts away from a running gateway, and shows that
// traffic goes on: a killed controller, an API server that is gone, an Ingress
// that nginx refuses, a certificate that is replaced.
package faults
