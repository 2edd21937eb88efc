package walkthrough

import (
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/sidegate/sidegate/pkg/echo"
)

const (
	anyHost = "anything.example.com" // that no Ingress names
	fooBar  = "foo.bar.com"
)

func install(r *run) error {
	if err := r.install(Settings{}); err != nil {
		return err
	}
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
	if err := r.install(Settings{DefaultBackend: namespace + "/default-backend"}); err != nil {
		return err
	}
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

	r.checkHeaders(backend)
	return nil
}

// checkHeaders checks what the pod is told of the client. Workers of before a
// change take requests for a moment beside the new ones, so one right answer
// does not make the next one right.
func (r *run) checkHeaders(q request) {
	r.until(q.String(), "the pod saw the client's address, and this host, port and scheme", func() verdict {
		a := r.send(q)
		if a.echo == nil {
			return verdict{got: a.String()}
		}
		client := a.echo.Header("X-Real-IP")
		v := verdict{ok: net.ParseIP(client) != nil}
		var got []string
		for _, h := range []struct{ name, want string }{
			{"X-Real-IP", client},
			{"X-Forwarded-For", client},
			{"X-Forwarded-Host", q.host},
			{"X-Forwarded-Port", "80"},
			{"X-Forwarded-Proto", "http"},
			{"X-Scheme", "http"},
		} {
			value := a.echo.Header(h.name)
			got = append(got, h.name+": "+value)
			v.ok = v.ok && value == h.want
		}
		id := a.echo.Header("X-Request-ID")
		v.got = strings.Join(append(got, "X-Request-ID: "+id), ", ")
		v.ok = v.ok && requestID.MatchString(id)
		return v
	})
}

var requestID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func isOK(a answer) bool { return a.status == http.StatusOK }
