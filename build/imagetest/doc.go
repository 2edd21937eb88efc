// Package imagetest has the tests of the finished image: `make image-test`
// gives them its archive, and without one they are skipped.
//
// What is in the image is read on any machine. It is run, as a kubelet would
// have it run, where runc, root and the image's architecture are there.
package imagetest
