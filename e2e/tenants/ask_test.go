package tenants_test

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sidegate/sidegate/pkg/echo"
)

// answer is what a client got.
type answer struct {
	status  int
	headers http.Header
	body    string
	// certificate is the common name of the server's.
	certificate string
	took        time.Duration
}

// from is the request as a pod got it, where the body says so.
func (a answer) from() (r echo.Response) {
	_ = json.Unmarshal([]byte(a.body), &r) // no pod has answered
	return r
}

// question is a request as it is written to the connection.
type question struct {
	method, host, target string
	headers              []string
	https                bool
}

// ask sends a request to the gateway as it stands, whatever a proper client
// would make of it.
func ask(q question) (a answer, err error) {
	began := time.Now()
	c, err := net.DialTimeout("tcp", "198.18.0.1:80", 5*time.Second)
	if q.https {
		c, err = net.DialTimeout("tcp", "198.18.0.1:443", 5*time.Second)
	}
	if err != nil {
		return a, err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		return a, err
	}
	if q.https {
		t := tls.Client(c, &tls.Config{ServerName: q.host, InsecureSkipVerify: true})
		if err := t.Handshake(); err != nil {
			return a, err
		}
		a.certificate, c = t.ConnectionState().PeerCertificates[0].Subject.CommonName, t
	}
	method := cmp.Or(q.method, http.MethodGet)
	lines := append([]string{method + " " + cmp.Or(q.target, "/") + " HTTP/1.1", "Host: " + q.host}, q.headers...)
	if !strings.Contains(strings.Join(q.headers, "\n"), "Connection:") {
		lines = append(lines, "Connection: close")
	}
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		return a, err
	}
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return a, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	a.status, a.headers, a.body, a.took = response.StatusCode, response.Header, string(body), time.Since(began)
	return a, err
}

// ask is one that must be answered.
func (w *world) ask(q question) answer {
	w.t.Helper()
	a, err := ask(q)
	if err != nil {
		w.t.Errorf("%s%s: %v", q.host, q.target, err)
	}
	return a
}

// get asks for a path of a host.
func (w *world) get(host, target string, headers ...string) answer {
	w.t.Helper()
	return w.ask(question{host: host, target: target, headers: headers})
}

// answers fails where a path of a host does not answer with a status.
func (w *world) answers(host, target string, status int, headers ...string) {
	w.t.Helper()
	if a := w.get(host, target, headers...); a.status != status {
		w.t.Errorf("%s%s answers %d, want %d", host, target, a.status, status)
	}
}

// victimServed looks at all that a tenant has once changed for the victim: where
// requests go, the certificate, the redirect to https, headers of nginx's own,
// and what is answered for pods that are gone.
func (w *world) victimServed() {
	w.t.Helper()
	w.within(soon, "the victim is served", func() error {
		a, err := ask(question{host: "shop.test", target: "/basket?x=1", https: true})
		if err != nil {
			return err
		}
		got := a.from()
		for _, c := range []struct{ what, got, want string }{
			{"status", fmt.Sprint(a.status), "200"},
			{"certificate", a.certificate, "shop.test"},
			{"pod", got.Pod, "victim"},
			{"host", got.Host, "shop.test"},
			{"path", got.Path, "/basket"},
			{"X-Forwarded-Host", got.Header("X-Forwarded-Host"), "shop.test"},
			{"X-Forwarded-Proto", got.Header("X-Forwarded-Proto"), "https"},
			{"X-Forwarded-Port", got.Header("X-Forwarded-Port"), "443"},
			{"X-Scheme", got.Header("X-Scheme"), "https"},
			{"X-Request-Id", fmt.Sprint(len(got.Header("X-Request-Id"))), "32"},
			{"Set-Cookie", a.headers.Get("Set-Cookie"), ""},
			{"Strict-Transport-Security", fmt.Sprint(len(a.headers.Get("Strict-Transport-Security")) > 0), "true"},
		} {
			if c.got != c.want {
				return fmt.Errorf("%s is %q, want %q", c.what, c.got, c.want)
			}
		}
		plain, err := ask(question{host: "shop.test", target: "/basket"})
		if err != nil {
			return err
		}
		if to := plain.headers.Get("Location"); plain.status != http.StatusPermanentRedirect || to != "https://shop.test/basket" {
			return fmt.Errorf("by http it answers %d, Location %q", plain.status, to)
		}
		gone, err := ask(question{host: "shop.test", target: "/gone", https: true})
		if err != nil {
			return err
		}
		if gone.status != http.StatusBadGateway {
			return fmt.Errorf("for a pod that is gone it answers %d", gone.status)
		}
		return nil
	})
}
