// Package sbom lists what an image is made of, as CycloneDX: the packages of
// its distribution and the Go modules of its binaries, read from the image
// itself.
//
// It must not list what a build file says should be in there, nor anything
// that differs between two builds of the same image.
package sbom
