// Command mksbom writes what an image is made of, as a CycloneDX file, from
// the image's archive. Package sbom has the reasons.
package main
