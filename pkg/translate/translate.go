package translate

import (
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"k8s.io/apimachinery/pkg/types"
)

// Options are what the flags and the machine say; they do not change while
// the process runs.
type Options struct {
	// AnnotationPrefixes are the prefixes under which annotations are read;
	// the first one wins.
	AnnotationPrefixes []string
	// DefaultBackend is the Service for requests that no rule matches; empty
	// is nginx itself.
	DefaultBackend types.NamespacedName
	// DefaultCertificate is the Secret for hosts without one; empty is the
	// self-signed certificate of SelfSigned.
	DefaultCertificate types.NamespacedName
	// SelfSigned is a key and a certificate in PEM.
	SelfSigned []byte

	// StrictHostOwnership gives a host to the namespace of its oldest Ingress.
	StrictHostOwnership bool
	DisableCatchAll     bool
	DisableExternalName bool

	HTTPPort, HTTPSPort int
	// IPv6 says that the machine has it.
	IPv6 bool
	// User is the user of nginx's workers; empty is the master's.
	User string
	// Directory is shared with nginx: the pid file, the status socket and
	// temporary files are below it. SecretsDirectory holds the live files,
	// LogDirectory the logs.
	Directory, SecretsDirectory, LogDirectory string
	// PIDFile is nginx's.
	PIDFile string
	// MaxOpenFiles is the limit that a worker may have; 0 is unknown.
	MaxOpenFiles int
	// JSModule is the file of nginx's njs module, JSFile our script for it;
	// both are empty where the module is not installed.
	JSModule, JSFile string
	// Targets says where requests may be sent.
	Targets Targets
	// Resolvers are the addresses of Sidegate's DNS server, ClusterResolvers
	// those of the cluster.
	Resolvers, ClusterResolvers []string
	// Search completes the names that ClusterResolvers are asked for.
	Search []string
}

// Input is all that a translation depends on.
type Input struct {
	Snapshot *snapshot.Snapshot
	// Previous is the model that nginx has now; nil at the start. Names of
	// ports and sizes of zones that it knows are kept where the snapshot has
	// no reason to change them, which is what saves reloads.
	Previous *model.Config
}

// Output is the decision.
type Output struct {
	Config *model.Config
	// Findings are sorted and unique.
	Findings []model.Finding
}

// Translator translates snapshots. It remembers nothing that a result could
// depend on, only results of costly functions of unchanged objects.
type Translator struct {
	options Options
	memo    memo
}

// New returns a Translator.
func New(o Options) *Translator { return &Translator{options: o} }
