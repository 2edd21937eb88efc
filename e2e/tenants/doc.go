// Package tenants shows that what one tenant writes is that tenant's matter
// alone. A victim is served and another tenant adds what once stopped, read or
// redirected others, or took a worker of nginx for minutes; then the victim is
// served as before, a third tenant's Ingress that comes afterwards is served
// soon, and the one who wrote it is told.
//
// Each way in is a row (rows_test.go): a file of testdata, or several objects
// that differ in the field they use. Files are text/template, so that a value
// of 2,000 letters can be read; functions_test.go has what they may call. The
// rows run one after the other on one controller, and then all at once at a
// start. What needs a controller of its own stands in a test of its own: a
// directory of manifests, damaged files, many at once.
package tenants
