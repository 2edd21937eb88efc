// Package image makes a container image from a folder and files, and writes
// it as one archive that both `ctr images import` and `docker load` take.
//
// It is there because the machines that build and test Sidegate need not have
// a container engine. The same input gives the same bytes: entries are sorted
// and their times are fixed, so that two builds can be compared.
//
// It must not run anything of the image, fetch anything, or know Sidegate.
package image
