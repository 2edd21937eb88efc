// Package model is the configuration that Sidegate wants nginx to have, as
// plain data: servers, locations, upstreams, certificates, and the findings
// that came up on the way.
//
// It exists so that what is decided (package translate) and how it is written
// (package render) meet in one place that both can be tested against. Values
// that come from a user enter only through the constructors of value.go; a
// value of one of these types is safe to print into nginx.conf.
//
// The package does no I/O, reads no clock, knows no Kubernetes client and
// imports nothing of ours. Everything in a Config is sorted, so that equal
// input gives equal bytes.
package model
