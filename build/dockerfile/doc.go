// Package dockerfile reads from a Dockerfile what its final stage sets: the
// user, the entrypoint, the labels and so on.
//
// It is there so that the image that is made without an engine is configured
// like the one that an engine builds, by the same lines. It must not guess:
// an instruction that it does not know, or that needs an engine, is an error.
package dockerfile
