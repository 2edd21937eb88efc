package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"
)

// options are the values of the flags.
type options struct {
	kubeconfig, apiServer string

	controllerClass, ingressClass            string
	ingressClassByName, withoutClass         bool
	disableClasses                           bool
	watchNamespace, configMap                string
	annotationsPrefix                        string
	defaultBackend, defaultCertificate       string
	disableCatchAll, disableExternalName     bool
	allowLoopback                            bool
	strictHostOwnership                      bool
	httpPort, httpsPort                      int
	healthHost, healthPath                   string
	healthPort                               int
	publishService, publishAddress           string
	updateStatus, updateOnShutdown           bool
	electionID                               string
	electionTTL                              time.Duration
	disableElection, disableEvents           bool
	shutdownGrace                            int
	showVersion                              bool
	nginxBinary, nginxDir, nginxSecretsDir   string
	nginxPIDFile, nginxUser, nginxLogDir     string
	nginxModulesDir, scriptFile, templateDir string
	nginxSpawn, profiling                    bool
	debugEndpoint                            endpoint
	discoveryAddress                         string
	discoveryListeners                       int
	clusterDNS                               []string
	logFormat, logLevel                      string
}

// common adds the flags that every way of running nginx has.
func (o *options) common(f *pflag.FlagSet) {
	f.StringVar(&o.controllerClass, "controller-class", "k8s.io/ingress-nginx", "the controller that IngressClasses of ours name")
	f.StringVar(&o.ingressClass, "ingress-class", "nginx", "the class that the annotation kubernetes.io/ingress.class names")
	f.BoolVar(&o.ingressClassByName, "ingress-class-by-name", false, "take the IngressClass named by --ingress-class whatever controller it names")
	f.BoolVar(&o.withoutClass, "watch-ingress-without-class", false, "take Ingresses that name no class")
	f.StringVar(&o.configMap, "configmap", "", "the ConfigMap with global settings, as NAMESPACE/NAME")
	f.StringVar(&o.annotationsPrefix, "annotations-prefix", annotations.DefaultPrefix, "the prefix of annotations; "+annotations.LegacyPrefix+" is read too")
	f.StringVar(&o.defaultBackend, "default-backend-service", "", "the Service for requests that no rule matches, as NAMESPACE/NAME; nginx itself answers 404 without one")
	f.StringVar(&o.defaultCertificate, "default-ssl-certificate", "", "the Secret with the certificate for hosts without one, as NAMESPACE/NAME; a self-signed one is made without it")
	f.BoolVar(&o.strictHostOwnership, "strict-host-ownership", false, "let no namespace but that of its oldest Ingress use a host")
	f.BoolVar(&o.disableCatchAll, "disable-catch-all", false, "refuse Ingresses that would serve every host")
	f.BoolVar(&o.disableExternalName, "disable-svc-external-name", false, "refuse Services of type ExternalName")
	f.BoolVar(&o.allowLoopback, "allow-loopback-targets", false, "let Services and authentication URLs lead to loopback, where other processes of the pod are reached; for tests and demonstrations")
	f.IntVar(&o.httpPort, "http-port", 80, "the port for http")
	f.IntVar(&o.httpsPort, "https-port", 443, "the port for https")
	f.StringVar(&o.nginxBinary, "nginx-binary", "nginx", "the nginx that tests configurations, and that --nginx-spawn runs")
	f.StringVar(&o.nginxDir, "nginx-dir", "/etc/nginx/sidegate", "the directory shared with nginx; nginx runs with -c DIR/current/nginx.conf")
	f.StringVar(&o.nginxSecretsDir, "nginx-secrets-dir", "", "the directory for keys and users; DIR/secrets without it")
	f.StringVar(&o.nginxLogDir, "nginx-log-dir", "/var/log/nginx", "the directory of access.log and error.log")
	f.StringVar(&o.nginxPIDFile, "nginx-pid-file", "", "the pid file of the nginx master; DIR/run/nginx.pid without it")
	f.StringVar(&o.nginxUser, "nginx-user", "", "the user of nginx's workers, where the master runs as root; root without it")
	f.StringVar(&o.nginxModulesDir, "nginx-modules-dir", "", "the directory of nginx's dynamic modules; what nginx -V says without it")
	f.StringVar(&o.scriptFile, "nginx-script", "/etc/nginx/sidegate.js", "the script for nginx's njs module; it is used where both are there")
	f.StringVar(&o.templateDir, "template-dir", "", "a directory of templates that replace the built-in ones; it is watched")
	o.debugEndpoint.flags(f)
	f.BoolVar(&o.profiling, "profiling", false, "add /debug/pprof to the debug endpoint")
	f.StringVar(&o.discoveryAddress, "discovery-address", "127.0.0.1:10530", "the first address on which endpoints are told to nginx")
	f.IntVar(&o.discoveryListeners, "discovery-listeners", 24, "the number of such addresses, upward from the first port")
	f.StringSliceVar(&o.clusterDNS, "cluster-dns", nil, "the name servers of the cluster; those of /etc/resolv.conf without it")
	f.StringVar(&o.logFormat, "log-format", "auto", "json, console, or auto: console on a terminal")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info or error")
}

// cluster adds the flags of the controller.
func (o *options) cluster(f *pflag.FlagSet) {
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "a kubeconfig; that of the pod without it")
	f.StringVar(&o.apiServer, "apiserver-host", "", "the address of the API server, where the kubeconfig does not say it")
	f.BoolVar(&o.disableClasses, "disable-ingress-classes", false, "read no IngressClasses: a class is known by the name --ingress-class alone; for a controller with permissions in namespaces only")
	f.StringVar(&o.watchNamespace, "watch-namespace", "", "the one namespace to watch; all without it")
	f.StringVar(&o.healthHost, "healthz-host", "", "the address of health and metrics; all without it")
	f.IntVar(&o.healthPort, "healthz-port", 10254, "the port of health and metrics")
	f.StringVar(&o.healthPath, "health-check-path", "/healthz", "the path of the health check")
	f.StringVar(&o.publishService, "publish-service", "", "the Service whose addresses Ingresses report, as NAMESPACE/NAME")
	f.StringVar(&o.publishAddress, "publish-status-address", "", "addresses that Ingresses report, separated by commas")
	f.BoolVar(&o.updateStatus, "update-status", true, "write the status of Ingresses")
	f.BoolVar(&o.updateOnShutdown, "update-status-on-shutdown", true, "remove the addresses when the last pod ends")
	f.StringVar(&o.electionID, "election-id", "ingress-controller-leader", "the name of the lease of the election")
	f.DurationVar(&o.electionTTL, "election-ttl", 30*time.Second, "how long a lease lasts")
	f.BoolVar(&o.disableElection, "disable-leader-election", false, "write the status without an election")
	f.BoolVar(&o.disableEvents, "disable-sync-events", false, "make no events")
	f.BoolVar(&o.nginxSpawn, "nginx-spawn", false, "run nginx as a child instead of attaching to one")
	f.IntVar(&o.shutdownGrace, "post-shutdown-grace-period", 10, "seconds for everything to end in order")
	f.BoolVar(&o.showVersion, "version", false, "print the version and end")
	for _, a := range acceptedFlags {
		f.Var(&ignoredFlag{kind: a.kind}, a.name, a.doc)
		if a.kind == "bool" {
			f.Lookup(a.name).NoOptDefVal = "true"
		}
	}
}

// acceptedFlag is a flag of ingress-nginx that has no effect here.
type acceptedFlag struct{ name, kind, doc string }

const (
	notYet = "accepted without effect: not yet"
	noNeed = "accepted without effect: there is nothing for it to do"
)

var acceptedFlags = []acceptedFlag{
	{"bucket-factor", "float", notYet}, {"certificate-authority", "string", notYet}, {"deep-inspect", "bool", noNeed},
	{"default-server-port", "int", noNeed}, {"disable-full-test", "bool", noNeed}, {"dynamic-configuration-retries", "int", noNeed},
	{"enable-annotation-validation", "bool", "accepted without effect: annotations are always validated"},
	{"enable-metrics", "bool", "accepted without effect: the controller's metrics are always there; request metrics: not yet"},
	{"enable-ssl-chain-completion", "bool", noNeed}, {"enable-ssl-passthrough", "bool", notYet},
	{"enable-topology-aware-routing", "bool", notYet}, {"exclude-socket-metrics", "list", notYet},
	{"health-check-timeout", "int", noNeed}, {"internal-logger-address", "string", noNeed}, {"length-buckets", "list", notYet},
	{"max-buckets", "int", notYet}, {"maxmind-edition-ids", "string", notYet}, {"maxmind-license-key", "string", notYet},
	{"maxmind-mirror", "string", notYet}, {"maxmind-retries-count", "int", notYet}, {"maxmind-retries-timeout", "duration", notYet},
	{"metrics-per-host", "bool", notYet}, {"metrics-per-undefined-host", "bool", notYet}, {"monitor-max-batch-size", "int", noNeed},
	{"profiler-address", "string", noNeed}, {"profiler-port", "int", noNeed},
	{"report-node-internal-ip-address", "bool", notYet}, {"report-status-classes", "bool", notYet},
	{"shutdown-grace-period", "int", notYet}, {"size-buckets", "list", notYet}, {"ssl-passthrough-proxy-port", "int", noNeed},
	{"status-port", "int", noNeed}, {"status-update-interval", "int", noNeed}, {"stream-port", "int", noNeed},
	{"sync-period", "duration", noNeed}, {"sync-rate-limit", "float", noNeed}, {"tcp-services-configmap", "string", notYet},
	{"time-buckets", "list", notYet}, {"udp-services-configmap", "string", notYet}, {"validating-webhook", "string", notYet},
	{"validating-webhook-certificate", "string", notYet}, {"validating-webhook-key", "string", notYet},
	{"watch-namespace-selector", "string", notYet}, {"v", "int", "accepted without effect: see --log-level"},
	{"vmodule", "string", noNeed}, {"logtostderr", "bool", noNeed}, {"alsologtostderr", "bool", noNeed},
	{"log_dir", "string", noNeed}, {"log_file", "string", noNeed}, {"stderrthreshold", "string", noNeed},
	{"one_output", "bool", noNeed}, {"skip_headers", "bool", noNeed}, {"skip_log_headers", "bool", noNeed},
}

// ignoredFlag takes any value.
type ignoredFlag struct{ kind, value string }

func (i *ignoredFlag) String() string     { return i.value }
func (i *ignoredFlag) Set(v string) error { i.value = v; return nil }
func (i *ignoredFlag) Type() string       { return i.kind }

// ignored lists the flags that were given and have no effect.
func ignored(f *pflag.FlagSet) (out []string) {
	f.Visit(func(flag *pflag.Flag) {
		if _, ok := flag.Value.(*ignoredFlag); ok {
			out = append(out, "--"+flag.Name)
		}
	})
	return out
}

// objectName parses NAMESPACE/NAME. Empty is empty.
func objectName(flag, value string) (types.NamespacedName, error) {
	if value == "" {
		return types.NamespacedName{}, nil
	}
	namespace, name, ok := strings.Cut(value, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return types.NamespacedName{}, fmt.Errorf("--%s must be NAMESPACE/NAME, not %q", flag, value)
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, nil
}

// discovery parses the first address of discovery.
func (o *options) discovery() (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(o.discoveryAddress)
	if err != nil || !a.Addr().IsLoopback() {
		return a, fmt.Errorf("--discovery-address must be an address and port on loopback, not %q", o.discoveryAddress)
	}
	if o.discoveryListeners < 1 || int(a.Port())+o.discoveryListeners > 65536 {
		return a, fmt.Errorf("--discovery-listeners must be at least 1 and fit above port %d, not %d", a.Port(), o.discoveryListeners)
	}
	return a, nil
}
