// Command mkindex puts the images for several architectures under one name,
// as an archive that is copied to a registry. Package image has the reasons.
package main
