package walkthrough

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	stickyHost  = "stickyingress.example.com"
	routeCookie = "route"
)

// session is a user of the application: his cookie, and the pod that has it.
type session struct{ cookie, pod string }

func (s session) request() request {
	return request{host: stickyHost, path: "/foo", cookie: routeCookie + "=" + s.cookie}
}

// begin makes a first request, which has no cookie yet.
func (r *run) begin() (session, answer) {
	a := r.send(request{host: stickyHost, path: "/foo"})
	return session{a.setCookie(routeCookie), a.pod()}, a
}

func sticky(r *run) error {
	if err := r.apply("06-sticky.yaml"); err != nil {
		return err
	}
	if r.onCluster() {
		if err := r.scale("echo", 3); err != nil {
			return err
		}
		if err := r.settle("echo", 3, false); err != nil {
			return err
		}
	}

	// A user on each pod.
	users := map[string]session{}
	first := request{host: stickyHost, path: "/foo"}
	r.until(first.String()+", many times", "each answer sets the cookie route, and the users are on three pods", func() verdict {
		s, a := r.begin()
		if s.cookie == "" || s.pod == "" {
			return verdict{a.String(), false}
		}
		users[s.pod] = s
		return verdict{fmt.Sprintf("the cookie is set; users on %d pods", len(users)), len(users) == 3}
	})
	if len(users) != 3 {
		return nil // what follows would only say it again
	}
	for _, s := range sorted(users) {
		r.stays(s, 10)
	}
	if !r.onCluster() {
		r.left("a pod that goes, whose users move, and pods that come")
		return nil
	}
	return r.move(users, first)
}

// move lets a pod go and new ones come.
func (r *run) move(users map[string]session, first request) error {
	if err := r.checkStraight(); err != nil {
		return err
	}

	all := sorted(users)
	gone, others := all[0], all[1:]
	if err := r.deletePod(gone.pod); err != nil {
		return err
	}
	moved := session{}
	r.until(gone.request().String(), "200 from another pod, with a new cookie", func() verdict {
		a := r.send(gone.request())
		moved = session{a.setCookie(routeCookie), a.pod()}
		return verdict{a.String(), isOK(a) && moved.pod != "" && moved.pod != gone.pod && moved.cookie != ""}
	})
	others = append(others, moved)
	for _, s := range others {
		r.stays(s, 5)
	}

	if err := r.scale("echo", 6); err != nil {
		return err
	}
	if err := r.settle("echo", 6, true); err != nil {
		return err
	}
	newcomers := map[string]session{}
	r.until(first.String()+", many times", "new users come to the new pods", func() verdict {
		s, a := r.begin()
		if s.cookie == "" || s.pod == "" {
			return verdict{a.String(), false}
		}
		newcomers[s.pod] = s
		return verdict{fmt.Sprintf("new users on %d pods", len(newcomers)), len(newcomers) == 6}
	})
	for _, s := range others {
		r.stays(s, 5)
	}
	return r.scale("echo", 3)
}

// stays checks that a user is served by his pod every time.
func (r *run) stays(s session, times int) {
	c := Check{
		Sent: fmt.Sprintf("%s, %d times", s.request(), times),
		Want: "200 from pod " + s.pod + " every time", Got: "200 from pod " + s.pod + " every time", OK: true,
	}
	for range times {
		if a := r.send(s.request()); !isOK(a) || a.pod() != s.pod {
			c.Got, c.OK = a.String(), false
			break
		}
	}
	r.check(c)
}

// checkStraight checks that a request arrives at a pod's own address. It says
// more than it seems to: the Service has an address of its own, too.
func (r *run) checkStraight() error {
	pods, err := r.pods("echo")
	if err != nil {
		return err
	}
	q := request{host: stickyHost, path: "/foo"}
	a := r.send(q)
	c := Check{Sent: q.String(), Got: a.String(), Want: "the request came straight to the address of the pod"}
	for _, pod := range pods {
		c.OK = c.OK || (a.echo != nil && pod.Name == a.echo.Pod && pod.Status.PodIP == a.echo.IP)
	}
	r.check(c)
	return nil
}

func (r *run) deletePod(name string) error {
	pod := &corev1.Pod{}
	pod.Namespace, pod.Name = namespace, name
	if err := r.Client.Delete(r.ctx, pod); err != nil {
		return err
	}
	r.did("kubectl delete pod %s", name)
	return nil
}

func sorted(users map[string]session) []session {
	var all []session
	for _, s := range users {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b session) int { return strings.Compare(a.pod, b.pod) })
	return all
}
