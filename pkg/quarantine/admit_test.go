package quarantine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
)

// world is a cluster of subjects and an nginx that refuses some of them.
type world struct {
	t    *testing.T
	q    *Quarantine
	now  time.Time
	list []Subject
	// refuses tells what nginx says of a selection; "" is nothing. suspect is
	// whom its message points at.
	refuses func(Selection) (cause, suspect string)
	// machine is why nginx cannot test at all.
	machine string
	// liveRefused says that what runs would be refused as well.
	liveRefused bool
	// perTry passes with each try.
	perTry time.Duration
	// max is Tries.Max.
	max   int
	count int
}

func newWorld(t *testing.T, names ...string) *world {
	w := &world{t: t, now: time.Unix(1e9, 0), perTry: 20 * time.Millisecond}
	w.q = New(func() time.Time { return w.now })
	w.refuses = func(Selection) (string, string) { return "", "" }
	w.put(names...)
	return w
}

func object(name string) model.Object { return model.IngressObject("default", name) }

// put adds objects, or changes them. NAME@VERSION names a version, a name that
// begins with "re" holds a regular expression, "cm" is the ConfigMap.
func (w *world) put(names ...string) {
	for _, n := range names {
		name, version, _ := strings.Cut(n, "@")
		s := Subject{Object: object(name), Version: "v" + version, Common: name == "cm", Unchecked: strings.HasPrefix(name, "re")}
		if i := slices.IndexFunc(w.list, func(o Subject) bool { return o.Object == s.Object }); i >= 0 {
			w.list[i] = s
		} else {
			w.list = append(w.list, s)
		}
	}
}

func (w *world) remove(name string) {
	w.list = slices.DeleteFunc(w.list, func(s Subject) bool { return s.Object == object(name) })
}

// bad has nginx refuse the versions whatever else is there.
func (w *world) bad(names ...string) {
	w.refuses = func(s Selection) (string, string) {
		for _, n := range names {
			name, version, _ := strings.Cut(n, "@")
			if s[object(name)] == "v"+version {
				return "bad " + n, ""
			}
		}
		return "", ""
	}
}

func (w *world) admit() Outcome {
	w.t.Helper()
	w.count = 0
	var last Selection
	out := w.q.Admit(w.t.Context(), w.list, Tries{
		Max: w.max,
		Selection: func(_ context.Context, s Selection) Verdict {
			w.count++
			w.now = w.now.Add(w.perTry)
			if w.machine != "" {
				return Verdict{Fault: Fault{Cause: w.machine}}
			}
			if cause, suspect := w.refuses(s); cause != "" {
				v := Verdict{Fault: Fault{Cause: cause}}
				if suspect != "" {
					v.Suspects = []model.Object{object(suspect)}
				}
				return v
			}
			last = maps.Clone(s)
			return Verdict{OK: true}
		},
		Live: func(context.Context) Verdict {
			return Verdict{OK: w.machine == "" && !w.liveRefused, Fault: Fault{Cause: w.machine}}
		},
	})
	if out.Selection != nil && !maps.Equal(out.Selection, last) {
		w.t.Errorf("selected %v, and what was taken last is %v", out.Selection, last)
	}
	return out
}

// wants compares the selection and the refusals with NAME@VERSION each.
func (w *world) wants(out Outcome, in, refused string) {
	w.t.Helper()
	var gotIn, gotRefused []string
	for o, v := range out.Selection {
		gotIn = append(gotIn, strings.TrimSuffix(o.Name+"@"+v[1:], "@"))
	}
	slices.Sort(gotIn)
	for _, r := range out.Refusals {
		gotRefused = append(gotRefused, strings.TrimSuffix(r.Object.Name+"@"+r.Version[1:], "@"))
	}
	if got := strings.Join(gotIn, " "); got != in {
		w.t.Errorf("in: %s, want %s", got, in)
	}
	if got := strings.Join(gotRefused, " "); got != refused {
		w.t.Errorf("refused: %s, want %s", got, refused)
	}
}

func TestAllTakenInOneTry(t *testing.T) {
	w := newWorld(t, "cm", "a", "b")
	out := w.admit()
	w.wants(out, "a b cm", "")
	if out.Tries != 1 || !out.Next.IsZero() {
		t.Errorf("%d tries, next at %v", out.Tries, out.Next)
	}
}

// The ConfigMap stays in force where an Ingress is refused, also at the start,
// and after the Ingress is gone.
func TestConfigMapStaysWithBadIngress(t *testing.T) {
	w := newWorld(t, "cm", "a", "re")
	w.bad("re")
	w.wants(w.admit(), "a cm", "re")
	w.remove("re")
	w.wants(w.admit(), "a cm", "")
}

func TestConfigMapIsHeldLikeOthers(t *testing.T) {
	w := newWorld(t, "cm", "a")
	w.admit()
	w.put("cm@2", "b")
	w.bad("cm@2")
	out := w.admit()
	w.wants(out, "a b cm", "cm@2")
	if out.Refusals[0].Good != "v" {
		t.Errorf("in its place stands %q", out.Refusals[0].Good)
	}
}

// The machine cannot test: nobody is blamed, and nothing changes.
func TestMachineIsNobodysFault(t *testing.T) {
	for _, at := range []string{"a start", "a change"} {
		w := newWorld(t, "cm", "a", "b")
		if at == "a change" {
			w.admit()
			w.put("c", "a@2")
		}
		w.machine = "no space left on device"
		out := w.admit()
		if out.Selection != nil || len(out.Refusals) > 0 || out.Machine == nil || out.Machine.Cause != w.machine {
			t.Errorf("at %s: %+v", at, out)
		}
		w.machine = ""
		if out := w.admit(); len(out.Selection) != len(w.list) || len(out.Refusals) > 0 {
			t.Errorf("after %s: %+v", at, out)
		}
	}
}

// What runs is refused as well: it is not an object.
func TestRefusedAsWhatRuns(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.admit()
	w.put("c")
	w.refuses = func(Selection) (string, string) { return "too many open files", "" }
	w.liveRefused = true
	if out := w.admit(); out.Machine == nil || len(out.Refusals) > 0 {
		t.Errorf("%+v", out)
	}
}

// A Service has changed so that an Ingress that was taken is refused now. What
// runs is taken, so it is not the machine.
func TestInputOfAcceptedChanges(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.admit()
	w.bad("b")
	w.wants(w.admit(), "a c", "b")
	w.bad()
	w.now = w.now.Add(firstRetry)
	w.wants(w.admit(), "a b c", "")
}

// However long it takes to find out which of those that are served are refused
// now, the others stay.
func TestServedAreNeverPending(t *testing.T) {
	names, bad := thousand(false)
	w := newWorld(t, names...)
	w.admit()
	w.bad(bad...)
	out := w.admit()
	if len(out.Pending) > 0 || len(out.Selection) != len(names)-len(bad) || len(out.Refusals) != len(bad) {
		t.Errorf("of %d that were served %d are in, %d are refused and %d pending", len(names), len(out.Selection), len(out.Refusals), len(out.Pending))
	}
	// Where tries are few and that cannot be found out, what runs stays.
	w = newWorld(t, names...)
	w.admit()
	w.bad(bad...)
	w.max = 12
	if out := w.admit(); out.Selection != nil || out.Machine == nil || len(out.Refusals) > 0 {
		t.Errorf("with few tries %d are selected and %d refused", len(out.Selection), len(out.Refusals))
	}
}

// A refusal that lasts a moment holds nobody for longer than the next try.
func TestMomentaryRefusal(t *testing.T) {
	w := newWorld(t, "a")
	w.admit()
	w.put("b")
	n := 0
	w.refuses = func(s Selection) (string, string) {
		if n++; n == 1 {
			return "for a moment", ""
		}
		return "", ""
	}
	w.wants(w.admit(), "a", "b") // the base alone is taken
	w.now = w.now.Add(firstRetry)
	w.wants(w.admit(), "a b", "")
}

func TestSeveralFaults(t *testing.T) {
	var names, good []string
	for i := range 17 {
		names = append(names, fmt.Sprintf("i%02d", i))
	}
	for i, n := range names {
		if i != 3 && i != 12 {
			good = append(good, n)
		}
	}
	for _, hint := range []bool{false, true} {
		w := newWorld(t, "a")
		w.admit()
		w.put(names...)
		w.bad("i03", "i12")
		if hint {
			bad := w.refuses
			w.refuses = func(s Selection) (string, string) {
				cause, _ := bad(s)
				return cause, strings.TrimPrefix(cause, "bad ")
			}
		}
		out := w.admit()
		w.wants(out, "a "+strings.Join(good, " "), "i03 i12")
		if len(out.Pending) > 0 || out.Tries > 20 || hint && out.Tries > 8 {
			t.Errorf("with a hint %v: %d tries, pending %v", hint, out.Tries, out.Pending)
		}
	}
}

// Two that are refused only together: the younger is held, and is let in when
// the older goes or changes.
func TestClash(t *testing.T) {
	clash := func(s Selection) (string, string) {
		if s[object("old")] == "v" && s[object("young")] != "" {
			return "duplicate", "old"
		}
		return "", ""
	}
	for _, end := range []string{"goes", "changes"} {
		w := newWorld(t, "old", "young", "z")
		w.refuses = clash
		w.wants(w.admit(), "old z", "young")
		if end == "goes" {
			w.remove("old")
			w.admit()
		} else {
			w.put("old@2")
			w.admit()
			w.now = w.now.Add(soonRetry)
			w.admit()
		}
		if out := w.admit(); len(out.Refusals) > 0 {
			t.Errorf("the older %s, and refused is %v", end, out.Refusals)
		}
	}
}

// What changed is suspected before what did not: an older object is edited so
// that it clashes with one that is served.
func TestOlderIsEditedIntoAClash(t *testing.T) {
	w := newWorld(t, "old", "victim")
	w.admit()
	w.put("old@2")
	w.refuses = func(s Selection) (string, string) {
		if s[object("old")] == "v2" && s[object("victim")] != "" {
			return "duplicate", "victim"
		}
		return "", ""
	}
	w.wants(w.admit(), "old victim", "old@2")
}

func TestBackOff(t *testing.T) {
	w := newWorld(t, "a", "bad")
	w.bad("bad")
	out := w.admit()
	var waits []time.Duration
	for range 12 {
		waits = append(waits, out.Next.Sub(w.now).Round(time.Second))
		w.now = out.Next
		out = w.admit()
		w.wants(out, "a", "bad")
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}
	for i := range want {
		if waits[i] != want[i]*time.Second {
			t.Fatalf("waits %v", waits)
		}
	}
	// Between, it costs nobody a try.
	w.put("b")
	if out := w.admit(); out.Tries != 1 {
		t.Errorf("%d tries for another's change", out.Tries)
	}
}

// A change of the ConfigMap has all tried again.
func TestHeldIsTriedWithNewConfigMap(t *testing.T) {
	w := newWorld(t, "cm", "a", "b")
	w.refuses = func(s Selection) (string, string) {
		if s[object("cm")] == "v" && s[object("b")] != "" {
			return "not with this", ""
		}
		return "", ""
	}
	w.wants(w.admit(), "a cm", "b")
	w.put("cm@2")
	w.admit()
	w.wants(w.admit(), "a b cm@2", "")
}

// thousand are 1,000 good ones and 50 bad ones between them.
func thousand(unchecked bool) (names, bad []string) {
	for i := range 1050 {
		name := fmt.Sprintf("i%04d", i)
		if i%21 == 7 {
			name = fmt.Sprintf("bad%04d", i)
			if unchecked {
				name = "re" + name
			}
			bad = append(bad, name)
		}
		names = append(names, name)
	}
	return names, bad
}

// The good ones are in after three tries, and all bad ones are named within a
// bounded number of calls, none of which is long.
func TestFiftyBadAmongThousand(t *testing.T) {
	for _, hints := range []bool{true, false} {
		w := newWorld(t)
		names, bad := thousand(true)
		w.put(names...)
		isBad := map[model.Object]bool{}
		for _, b := range bad {
			isBad[object(b)] = true
		}
		w.refuses = func(s Selection) (string, string) {
			for _, b := range bad {
				if s[object(b)] != "" {
					if hints {
						return "bad", b
					}
					return "bad", ""
				}
			}
			return "", ""
		}
		good, calls := 0, 0
		for ; calls < 20; calls++ {
			began := w.now
			out := w.admit()
			if calls == 0 && len(out.Selection) != 1000 {
				t.Errorf("%d are in after the first call", len(out.Selection))
			}
			if took := w.now.Sub(began); took > 1500*time.Millisecond {
				t.Errorf("a call took %v", took)
			}
			for o := range out.Selection {
				if isBad[o] {
					t.Fatalf("%v is in", o)
				}
			}
			good = len(out.Selection)
			if len(out.Pending) == 0 && len(out.Refusals) == 50 {
				break
			}
		}
		if good != 1000 || calls > 8 {
			t.Errorf("hints %v: %d in after %d calls", hints, good, calls)
		}
	}
}

// The tries that the good ones wait for, where nothing sets bad ones apart.
func TestPendingNeverHoldsOthers(t *testing.T) {
	w := newWorld(t, "a")
	w.admit()
	names, bad := thousand(true)
	w.put(names...)
	w.bad(bad...)
	for i := range 30 {
		w.put(fmt.Sprintf("a@%d", i+2))
		if out := w.admit(); out.Selection[object("a")] != fmt.Sprintf("v%d", i+2) {
			t.Fatalf("in call %d the change of another is not in", i)
		}
	}
	if got := len(w.q.Refusals()); got != 50 {
		t.Errorf("%d are named after 30 calls", got)
	}
}

// One that is bad again with every change costs others one try more.
func TestBadOneThatChangesEverySecond(t *testing.T) {
	w := newWorld(t, "a", "bad@0")
	w.refuses = func(s Selection) (string, string) {
		if s[object("bad")] != "" {
			return "bad", ""
		}
		return "", ""
	}
	w.admit()
	for i := range 10 {
		w.now = w.now.Add(time.Second)
		w.put(fmt.Sprintf("bad@%d", i+1), fmt.Sprintf("a@%d", i+1))
		out := w.admit()
		w.wants(out, fmt.Sprintf("a@%d", i+1), fmt.Sprintf("bad@%d", i+1))
		if out.Tries > 2 {
			t.Errorf("%d tries", out.Tries)
		}
	}
	w.put("bad@100")
	w.bad()
	w.wants(w.admit(), "a@10 bad@100", "")
}

// A restarted process begins with what the one before had found out.
func TestRestore(t *testing.T) {
	w := newWorld(t, "a", "held@2")
	w.bad("held@2")
	w.q.Restore([]Refusal{{Subject: w.list[1], Fault: Fault{Cause: "bad"}, Good: "v1"}})
	out := w.admit()
	w.wants(out, "a held@1", "held@2")
	if out.Tries != 1 {
		t.Errorf("%d tries", out.Tries)
	}
}

// When ctx ends, nothing is decided.
func TestContextEnds(t *testing.T) {
	w := newWorld(t, "a", "bad")
	ctx, cancel := context.WithCancel(t.Context())
	out := w.q.Admit(ctx, w.list, Tries{
		Max:       w.max,
		Selection: func(context.Context, Selection) Verdict { cancel(); return Verdict{} },
		Live:      func(context.Context) Verdict { return Verdict{} },
	})
	if out.Selection != nil || out.Machine != nil || len(out.Refusals) > 0 {
		t.Errorf("%+v", out)
	}
}
