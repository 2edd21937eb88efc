// Package reports tests what is written to the API against a real API server:
// statuses, Events, and the ConfigMap with last good versions.
package reports
