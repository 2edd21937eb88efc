// Command mkimage makes a container image from a root folder and files,
// without a container engine. Package image has the reasons.
//
// It must not know what Sidegate's image looks like: build/image.sh does.
package main
