package events

import (
	"context"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/sidegate/sidegate/pkg/model"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// A second process, or the next leader, changes nothing of what is there; what
// was gone and comes again is counted.
func TestNextLeader(t *testing.T) {
	api := fake.NewClientset()
	findings := []model.Finding{finding("a", "R", "m"), finding("b", "R", "m")}
	run := func(w *Writer) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		return func() { cancel(); <-done }
	}
	actions := func(verb string) (n int) {
		for _, a := range api.Actions() {
			if a.Matches(verb, "events") {
				n++
			}
		}
		return n
	}
	waitFor := func(verb string, n int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); actions(verb) < n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d times %s, want %d", actions(verb), verb, n)
			}
		}
	}
	first := New(testr.New(t), api.EventsV1(), "pod", nil)
	stop := run(first)
	first.Publish(findings)
	waitFor("create", 2)
	first.Publish(findings) // the same again is nothing
	stop()
	second := New(testr.New(t), api.EventsV1(), "pod", nil)
	second.Publish(findings)
	stop = run(second)
	waitFor("create", 4)
	second.Publish(findings[1:])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		second.mu.Lock()
		n := len(second.want)
		second.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a finding that is gone is still wanted")
		}
	}
	if actions("update") != 0 {
		t.Error("an Event was written again")
	}
	stop()
	third := New(testr.New(t), api.EventsV1(), "pod", nil)
	third.Publish(findings[1:])
	stop = run(third)
	waitFor("create", 5)
	third.Publish(findings)
	waitFor("update", 1)
	stop()
	e := event(findings[0], note(findings[0]))
	got, err := api.EventsV1().Events("default").Get(t.Context(), e.Name, metav1.GetOptions{})
	if err != nil || got.Series == nil || got.Series.Count != 2 {
		t.Errorf("the Event is %v (%v)", got, err)
	}
}
