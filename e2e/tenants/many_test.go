package tenants_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// refusedPath is an expression that only nginx can refuse: PCRE does not look
// behind by any length, and Go's dialect cannot know.
func refusedPath(n int) string { return fmt.Sprintf("/(?<=a+)b%d", n) }

func refused(name string, n int) *networkingv1.Ingress {
	return annotated(ingress("evil", name, name+".test", refusedPath(n)), "use-regex", "true")
}

func TestManyTenants(t *testing.T) {
	w := newWorld(t)
	t.Run("FiftyRefusedCannotHoldAThousand", func(t *testing.T) { w.in(t).fifty() })
	t.Run("SteadyEditsCannotHoldOthers", func(t *testing.T) { w.in(t).steadyEdits() })
}

// fifty adds 1,000 good Ingresses with 50 between them that nginx refuses, half
// of which look like the good ones.
func (w *world) fifty() {
	var all []client.Object
	var bad []string
	for i := range 1050 {
		name := fmt.Sprintf("many%04d", i)
		switch {
		case i%21 != 7:
			ing := ingress("neighbour", name, name+".test", "/")
			if i%3 == 0 { // as unchecked as the bad ones are
				annotated(ing, "use-regex", "true")
			}
			all = append(all, ing)
		default:
			all = append(all, refused(name, i))
			bad = append(bad, name)
		}
	}
	for _, o := range all {
		o.SetLabels(map[string]string{"many": "true"})
	}
	defer func() {
		for _, namespace := range []string{"neighbour", "evil"} {
			err := w.client.DeleteAllOf(background(), &networkingv1.Ingress{}, client.InNamespace(namespace),
				client.MatchingLabels{"many": "true"})
			if err != nil {
				w.t.Error(err)
			}
		}
	}()
	began := time.Now()
	w.createAll(all)
	w.t.Logf("the API server took them in %v", time.Since(began).Round(time.Second))
	// Not all of the bad ones can have been named yet.
	w.anotherIsServed()
	w.allServed(func(i int) bool { return i%21 != 7 && i%3 != 0 })
	w.t.Logf("the good ones without expressions are served after %v", time.Since(began).Round(time.Second))
	w.allServed(func(i int) bool { return i%21 != 7 })
	w.t.Logf("all good ones are served after %v", time.Since(began).Round(time.Second))
	w.anotherIsServed()
	w.victimServed()
	w.within(90*time.Second, "all bad ones are named, and no other", func() error {
		var named []string
		for _, f := range w.findings() {
			if f.Reason == "Quarantined" {
				named = append(named, f.Object.Name)
			}
		}
		slices.Sort(named)
		if !slices.Equal(named, bad) {
			return fmt.Errorf("%d are: %s", len(named), strings.Join(named, " "))
		}
		return nil
	})
	w.t.Logf("all bad ones are named after %v", time.Since(began).Round(time.Second))
}

// allServed waits until those of the many are served.
func (w *world) allServed(which func(i int) bool) {
	w.t.Helper()
	next := 0
	w.within(90*time.Second, "all good ones are served", func() error {
		for ; next < 1050; next++ {
			if which(next) {
				if err := served(fmt.Sprintf("many%04d.test", next), "neighbour"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// steadyEdits edits a refused Ingress every second, and adds good ones.
func (w *world) steadyEdits() {
	edited := refused("edited", 0)
	w.create(edited)
	defer w.delete(edited)
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- w.edit(client.ObjectKeyFromObject(edited), stop) }()
	for range 4 {
		w.anotherIsServed()
		time.Sleep(2 * time.Second)
	}
	w.told(soon, "evil/edited Quarantined")
	close(stop)
	if err := <-done; err != nil {
		w.t.Error(err)
	}
	w.victimServed()
}

func (w *world) edit(key client.ObjectKey, stop <-chan struct{}) error {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for n := 1; ; n++ {
		select {
		case <-stop:
			if n < 10 {
				return errors.New("there were fewer than ten edits")
			}
			return nil
		case <-every.C:
		}
		var ing networkingv1.Ingress
		if err := w.client.Get(w.t.Context(), key, &ing); err != nil {
			return err
		}
		ing.Spec.Rules[0].HTTP.Paths[0].Path = refusedPath(n)
		if err := w.client.Update(w.t.Context(), &ing); err != nil {
			return err
		}
	}
}
