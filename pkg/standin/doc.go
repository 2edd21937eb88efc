// Package standin gives pods to Services that have none: in a directory of
// manifests there is no cluster that would run them, so `sidegate serve --echo`
// answers for them with package echo.
//
// It stands between a source of snapshots and the pipeline. What it adds are
// EndpointSlices, as a cluster's own, so nothing further down knows of it. Its
// pods listen on addresses of 127.0.0.0/8, which on Linux are all local: each
// has one of its own, so that Services with the same port do not meet. A Service
// with an EndpointSlice, even an empty one, is left as it is, and so is one of
// type ExternalName.
package standin
