package translate

// processors are the steps of a translation, in order.
var processors = []struct {
	subject string
	run     func(*build)
}{
	{"the ConfigMap", readSettings},
	{"annotations", readAnnotations},
	{"which Ingress has which host and path", claimPaths},
	{"hosts that must stay closed", closeHosts},
	{"certificates", chooseCertificates},
	{"servers and their locations", buildServers},
	{"the order of everything", arrange},
}

// locationProcessors each add one subject to the location of a path, in
// order.
var locationProcessors = []struct {
	subject string
	run     func(*build, *path, *draft)
}{
	{"redirects", redirectClients},
	{"the backend", sendToBackend},
	{"affinity", keepSessions},
	{"rewrites", rewriteURI},
	{"proxying", tuneProxy},
	{"basic authentication", askForPassword},
	{"external authentication", askAnotherService},
	{"what must stay closed", closeUnguarded},
}
