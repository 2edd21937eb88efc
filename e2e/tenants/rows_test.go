package tenants_test

import (
	"testing"
	"time"
)

// row is one way in which a tenant once hurt others, and its neighbours.
type row struct {
	// name is what must not happen.
	name string
	// before is what is in place, and served at host by pod, before file is
	// added or replaces it.
	before, host, pod string
	file              string
	// attack is what follows file; nil is nothing.
	attack func(*world)
	// told lists "NAMESPACE/NAME REASON": whose owner must be told what.
	told []string
	// check looks at what the row is about.
	check func(*world)
}

// rows are all of them. The files beside this one have them by subject.
func rows() []row {
	var all []row
	for _, list := range [][]row{valueRows, fileRows, variableRows, targetRows, requestRows, hostRows, guardRows, costRows} {
		all = append(all, list...)
	}
	return all
}

func (r row) prepare(w *world) {
	w.t.Helper()
	if r.before != "" {
		w.apply(r.before)
		w.within(soon, r.host+" is served", func() error { return served(r.host, r.pod) })
	}
}

// aSecondPasses is for who is to be the younger: ages are whole seconds, and of
// two that are equal the first by name has precedence.
func aSecondPasses() { time.Sleep(1100 * time.Millisecond) }

func (r row) strike(w *world) {
	w.t.Helper()
	if r.file != "" {
		w.apply(r.file)
	}
	if r.attack != nil {
		r.attack(w)
	}
}

func (r row) run(w *world) {
	defer func() {
		for _, file := range []string{r.file, r.before} {
			if file != "" {
				w.remove(file)
			}
		}
	}()
	r.prepare(w)
	if r.before != "" {
		aSecondPasses()
	}
	r.strike(w)
	w.anotherIsServed()
	w.victimServed()
	w.told(soon, r.told...)
	if r.check != nil {
		r.check(w)
	}
}

func TestTenants(t *testing.T) {
	w := newWorld(t)
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) { r.run(w.in(t)) })
	}
	t.Run("ValuesOfAnyAnnotationCannotStopOthers", func(t *testing.T) { w.in(t).anyAnnotation() })
	t.Run("RefusedIngressCannotTakeTheSettingsAway", func(t *testing.T) { w.in(t).settingsStay() })
	t.Run("AllAtOnceCannotStopAStart", func(t *testing.T) { w.in(t).allAtOnce() })
}

// allAtOnce starts the controller where everything of all rows is in place: with
// what it has on disk, and with nothing.
func (w *world) allAtOnce() {
	var told []string
	for _, r := range rows() {
		defer func() {
			for _, file := range []string{r.file, r.before} {
				if file != "" {
					w.remove(file)
				}
			}
		}()
		r.prepare(w)
		told = append(told, r.told...)
	}
	aSecondPasses()
	for _, r := range rows() {
		r.strike(w)
	}
	w.victimServed()
	// A controller that ends before it has refused a version has not kept the
	// good one before it.
	w.told(2*soon, told...)
	for _, start := range []struct {
		how string
		do  func()
	}{
		{"with what is on disk", func() {
			if err := w.gateway.RestartController(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"with nothing on disk", w.startAnew},
	} {
		w.t.Log("a start " + start.how)
		start.do()
		w.victimServed()
		w.anotherIsServed()
		w.told(2*soon, told...)
	}
	for _, r := range rows() {
		if r.check != nil {
			r.check(w)
		}
	}
}
