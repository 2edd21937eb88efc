package tenants_test

import (
	"net/http"
	"regexp"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Hosts and paths of somebody else's.
var hostRows = []row{
	{
		name: "YoungerCannotTakePathsUnseen", before: "owned-hosts.yaml", host: "owned.test", pod: "victim", file: "sweeps.yaml",
		// A longer path is the closer match, which is what Ingresses mean; both
		// owners are told. What is the same, or the root, stays with the older one.
		told: []string{
			"victim/owns HostShared", "evil/sweep HostShared", "victim/owns-root HostShared", "evil/app-root HostPathTaken",
			"evil/same-path HostPathTaken", "victim/owns-path HostShared", "evil/longer-path HostShared", "evil/exact-path HostShared",
		},
		check: func(w *world) {
			if a := w.get("owned-root.test", "/"); a.from().Pod != "victim" {
				w.t.Errorf("/ of the older Ingress answers %d, %s", a.status, a.headers.Get("Location"))
			}
			if a := w.get("owned-path.test", "/account/x"); a.from().Pod != "victim" {
				w.t.Errorf("the path of the older Ingress answers %d by %s", a.status, a.from().Pod)
			}
		},
	},
	{
		name: "OlderCannotTakeAPathOfOurs", before: "helper-squat.yaml", host: "helped.test", pod: "evil", file: "helper-victim.yaml",
		attack: (*world).squat, told: []string{"evil/squat ReservedPath"},
		check: func(w *world) {
			if a := w.get("helped.test", "/y"); a.from().Pod != "victim" {
				w.t.Errorf("the victim's path answers %d", a.status)
			}
			w.answers("helped.test", "/_sidegate/auth/x", http.StatusNotFound)
		},
	},
}

// helper is a location that Sidegate makes for an authentication.
var helper = regexp.MustCompile(`/_sidegate/auth/[0-9a-f]+`)

// squat edits the older Ingress of a host so that it has the path of the helper
// that the younger one needs. Everybody can compute that path.
func (w *world) squat() {
	w.within(soon, "the victim's authentication is in place", func() error {
		a, err := ask(question{host: "helped.test", target: "/y"})
		if err == nil && a.from().Pod != "victim" {
			err = errNotYet
		}
		return err
	})
	path := ""
	w.within(soon, "a helper is in the live configuration", func() error {
		text, err := w.gateway.Debug(w.t.Context(), "/debug/config")
		_, server, _ := strings.Cut(string(text), `server_name "helped.test";`)
		if path = helper.FindString(server); err == nil && path == "" {
			err = errNotYet
		}
		return err
	})
	var squat networkingv1.Ingress
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "evil", Name: "squat"}, &squat); err != nil {
		w.t.Fatal(err)
	}
	paths := &squat.Spec.Rules[0].HTTP.Paths
	for _, p := range []string{path, path + "/", "/_sidegate", "/_SIDEGATE/auth/x", "/_sidegate/auth/"} {
		next := *(*paths)[0].DeepCopy()
		next.Path = p
		*paths = append(*paths, next)
	}
	if err := w.client.Update(w.t.Context(), &squat); err != nil {
		w.t.Fatal(err)
	}
}
