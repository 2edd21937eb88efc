package walkthrough

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/sidegate/sidegate/e2e/kit/echo"
)

const (
	anyHost = "anything.example.com" // that no Ingress names
	fooBar  = "foo.bar.com"
)

func install(r *run) error {
	if err := r.apply("01-install.yaml"); err != nil {
		return err
	}
	if err := r.Controller(r.ctx); err != nil {
		return err
	}
	r.did("the controller has started, and nginx on its first configuration")
	builtIn := func(a answer) bool {
		return a.status == http.StatusNotFound && strings.TrimSpace(a.body) == "default backend - 404"
	}
	r.expect(request{host: anyHost, path: "/"}, `404, "default backend - 404"`, builtIn)
	r.expect(request{host: anyHost, path: "/", https: true}, `404, "default backend - 404"`, builtIn)
	r.expect(request{host: anyHost, path: "/healthz"}, "200", isOK)
	return nil
}

func defaultBackend(r *run) error {
	if err := r.apply("02-default-backend.yaml"); err != nil {
		return err
	}
	flag := "--default-backend-service=" + namespace + "/default-backend"
	if err := r.Controller(r.ctx, flag); err != nil {
		return err
	}
	r.did("the controller has been started anew with %s", flag)
	r.expect(request{host: anyHost, path: "/"}, "404 and the page of the Service", func(a answer) bool {
		return a.status == http.StatusNotFound && a.body == echo.DefaultBackendBody
	})
	r.expect(request{host: anyHost, path: "/healthz"}, "200", isOK)
	return nil
}

func route(r *run) error {
	if err := r.apply("03-routing.yaml"); err != nil {
		return err
	}
	backend := request{host: fooBar, path: "/backend"}
	r.expect(backend, "200 from a pod of echo", func(a answer) bool {
		return a.status == http.StatusOK && a.echo != nil && a.echo.Path == "/backend" && a.echo.Host == fooBar
	})
	r.expect(request{host: fooBar, path: "/backend/deeper?x=1"}, "200 from a pod of echo, the query kept", func(a answer) bool {
		return a.status == http.StatusOK && a.echo != nil && a.echo.Path == "/backend/deeper" && a.echo.Query == "x=1"
	})
	r.expect(request{host: fooBar, path: "/backendless"}, "404: a prefix ends at a slash", func(a answer) bool {
		return a.status == http.StatusNotFound
	})

	a := r.send(backend)
	client := ""
	if a.echo != nil {
		client = a.echo.Header("X-Real-IP")
	}
	for _, want := range []struct{ header, pattern string }{
		{"X-Real-IP", `[0-9a-f.:]+`},
		{"X-Forwarded-For", regexp.QuoteMeta(client)},
		{"X-Forwarded-Host", regexp.QuoteMeta(fooBar)},
		{"X-Forwarded-Port", `80`},
		{"X-Forwarded-Proto", `http`},
		{"X-Scheme", `http`},
		{"X-Request-ID", `[0-9a-f]{32}`},
	} {
		c := Check{Sent: backend.String(), Want: fmt.Sprintf("the pod saw %s: %s", want.header, want.pattern), Got: a.String()}
		if a.echo != nil {
			value := a.echo.Header(want.header)
			c.Got = fmt.Sprintf("%s: %s", want.header, value)
			c.OK = regexp.MustCompile(`^(?:` + want.pattern + `)$`).MatchString(value)
		}
		r.check(c)
	}
	return nil
}

func isOK(a answer) bool { return a.status == http.StatusOK }
