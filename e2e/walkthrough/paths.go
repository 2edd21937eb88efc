package walkthrough

import "fmt"

func rewrite(r *run) error {
	files := []string{"05-rewrite.yaml"}
	if !r.onCluster() {
		// A file each is a second each. Those of later steps that are in nobody's
		// way come along.
		files = append(files, "06-sticky.yaml", "07-legacy-prefix.yaml", "09-services.yaml", "11-refused.yaml")
	}
	for _, file := range files {
		if err := r.apply(file); err != nil {
			return err
		}
	}
	for _, c := range []struct{ sent, seen string }{
		{"/old-api/users/7", "/v2/users/7"},
		{"/old-api", "/v2/"},
	} {
		r.expect(request{host: "api.bar.com", path: c.sent}, "200, the pod saw "+c.seen, saw(c.seen))
	}
	return nil
}

func legacy(r *run) error {
	if err := r.apply("07-legacy-prefix.yaml"); err != nil {
		return err
	}
	r.expect(request{host: "legacy.bar.com", path: "/app"}, "200, the pod saw /legacy: the old prefix, and the class by annotation", saw("/legacy"))
	r.expect(request{host: "both.bar.com", path: "/app"}, "200, the pod saw /new: the newer prefix wins", saw("/new"))
	return nil
}

// saw is right about an answer from a pod that saw a path.
func saw(path string) func(answer) bool {
	return func(a answer) bool { return isOK(a) && a.echo != nil && a.echo.Path == path }
}

func services(r *run) error {
	if err := r.apply("09-services.yaml"); err != nil {
		return err
	}
	kinds := []struct{ path, what string }{
		{"/cluster-ip", "a Service of type ClusterIP, its port by number"},
		{"/by-name", "the same, its port by name"},
		{"/headless", "a headless Service"},
		{"/node-port", "a Service of type NodePort"},
		{"/load-balancer", "a Service of type LoadBalancer"},
	}
	if r.onCluster() {
		kinds = append(kinds, struct{ path, what string }{"/external-name", "a Service of type ExternalName"})
	}
	for _, c := range kinds {
		r.expect(request{host: "services.bar.com", path: c.path}, "200 by "+c.what, saw(c.path))
	}
	if !r.onCluster() {
		r.left("a Service of type ExternalName, which the cluster's DNS looks up; a port that is another from pod to pod")
		return nil
	}
	ports := map[int]bool{}
	q := request{host: "services.bar.com", path: "/per-pod"}
	r.until(q.String()+", many times", "pods at port 8080 and at 9090", func() verdict {
		a := r.send(q)
		if isOK(a) && a.echo != nil {
			ports[a.echo.Port] = true
			return verdict{fmt.Sprintf("pods at port 8080: %t, at 9090: %t", ports[8080], ports[9090]), ports[8080] && ports[9090]}
		}
		return verdict{a.String(), false}
	})
	return nil
}
