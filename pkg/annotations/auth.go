package annotations

import (
	"regexp"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// Auth is HTTP basic authentication.
type Auth struct {
	// Type is "basic", or "" for none.
	Type  string
	Realm string
	// Secret is NAMESPACE/NAME, or NAME in the Ingress's own namespace.
	Secret     string
	SecretType string
}

// The two shapes of a Secret with users.
const (
	AuthFile = "auth-file" // key "auth" holds lines of NAME:HASH
	AuthMap  = "auth-map"  // each key is a name, its value the hash
)

var authRows = []Row{
	{
		Name: "auth-type", Family: "auth", Type: "basic", Scope: ScopeLocation, Risk: RiskLow, guards: true,
		Doc:     "Asks for a name and a password. `digest` cannot be done by stock nginx: the location is closed.",
		Support: Supported,
		parse:   enum(func(s *Set) *string { return &s.Auth.Type }, "basic"),
	},
	{
		Name: "auth-secret", Family: "auth", Type: "secret", Scope: ScopeLocation, Risk: RiskMedium, guards: true,
		Doc:     "The Secret with the users, as NAME or NAMESPACE/NAME; it must be in the Ingress's namespace.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			ref, err := secretRef(v)
			s.Auth.Secret = ref
			return err
		},
	},
	{
		Name: "auth-secret-type", Family: "auth", Type: "auth-file | auth-map", Scope: ScopeLocation, Risk: RiskLow, Default: AuthFile, guards: true,
		Doc:     "How the Secret holds the users: an htpasswd file under the key `auth`, or a key for each user whose value is the hash.",
		Support: Supported,
		parse:   enum(func(s *Set) *string { return &s.Auth.SecretType }, AuthFile, AuthMap),
	},
	{
		Name: "auth-realm", Family: "auth", Type: "text", Scope: ScopeLocation, Risk: RiskMedium,
		Doc:     "The text that a browser shows when it asks for the password.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			if v == "off" {
				// nginx would take it for "no authentication".
				return &model.InvalidError{Rule: "be any other text than off"}
			}
			// nginx puts it between quotes and escapes nothing.
			realm, err := model.Text(quotedString.Replace(v))
			s.Auth.Realm = realm
			return err
		},
	},
}

// quotedString escapes what ends a quoted string of HTTP.
var quotedString = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// secretRef accepts NAME or NAMESPACE/NAME.
func secretRef(v string) (string, error) {
	if !secretReference.MatchString(v) || len(v) > 2*253+1 {
		return "", &model.InvalidError{Rule: "be NAME or NAMESPACE/NAME"}
	}
	return v, nil
}

// secretReference matches names of objects. Their parts may be longer than
// those of a host.
var secretReference = regexp.MustCompile(`^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?/)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$`)
