package annotations

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// Canary is a share of another Ingress's requests.
type Canary struct {
	// Enabled says that the Ingress claims no path of its own.
	Enabled bool
}

var canaryRows = []Row{
	{
		Name: "canary", Family: "canary", Type: "bool", Scope: ScopeUpstream, Risk: RiskLow, Default: "false",
		Doc:     "Makes the Ingress a canary of the one that has its paths. Canaries get no requests yet: all go to the main Ingress.",
		Support: Partly,
		parse: func(s *Set, v string) (err error) {
			s.Canary.Enabled, err = model.NewBool(strings.TrimSpace(v))
			return err
		},
	},
}
