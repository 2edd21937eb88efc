package reports_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/pkg/events"
	"github.com/sidegate/sidegate/pkg/model"
)

// listEvents are the Events of a namespace by "object reason note".
func listEvents(t *testing.T, namespace string) map[string]eventsv1.Event {
	t.Helper()
	var list eventsv1.EventList
	if err := plane.Client.List(t.Context(), &list, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	out := map[string]eventsv1.Event{}
	for _, e := range list.Items {
		if e.ReportingController == events.Controller {
			out[fmt.Sprint(e.Regarding.Name, " ", e.Reason, " ", e.Note)] = e
		}
	}
	return out
}

func awaitEvents(t *testing.T, namespace string, count int) map[string]eventsv1.Event {
	t.Helper()
	var got map[string]eventsv1.Event
	eventually(t, "the Events", func() error {
		if got = listEvents(t, namespace); len(got) != count {
			return fmt.Errorf("there are %d and not %d", len(got), count)
		}
		return nil
	})
	return got
}

// counted is a client whose writes are counted.
func counted(t *testing.T, posts, puts *atomic.Int64) kubernetes.Interface {
	t.Helper()
	c := rest.CopyConfig(plane.Config)
	c.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			switch r.Method {
			case http.MethodPost:
				posts.Add(1)
			case http.MethodPut, http.MethodPatch:
				puts.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	api, err := kubernetes.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Events are written once: a restart, or the next leader, writes none again,
// but those of what has come since.
func TestEventsOnce(t *testing.T) {
	namespace := newNamespace(t, "events-once")
	finding := func(name, reason, message string) model.Finding {
		return model.Finding{Object: model.IngressObject(namespace, name), Severity: model.Warning, Reason: reason, Message: message}
	}
	flood := []model.Finding{finding("bad", "InvalidValue", "must be a number"), finding("odd", "InvalidValue", "\xff "+strings.Repeat("ü", 2000))}
	for i := range 1000 {
		flood = append(flood, finding("flood", "ServiceNotFound", fmt.Sprint("path ", i)))
	}
	uid := func(_ context.Context, o model.Object) types.UID { return types.UID("uid-of-" + o.Name) }
	var log journal
	posts, puts := &atomic.Int64{}, &atomic.Int64{}
	newWriter := func() *events.Writer { return events.New(log.logger(), counted(t, posts, puts).EventsV1(), "pod", uid) }
	first := newWriter()
	first.Publish(flood)
	stop := running(t, first.Run)
	before := awaitEvents(t, namespace, 2+4)
	for text, e := range before {
		if e.Regarding.UID != types.UID("uid-of-"+e.Regarding.Name) {
			t.Errorf("%.50s is of the UID %q", text, e.Regarding.UID)
		}
	}
	stop()

	posts.Store(0)
	second := newWriter()
	second.Publish(flood)
	stop = running(t, second.Run)
	second.Publish(append(flood[:len(flood):len(flood)], finding("z", "Later", "new")))
	awaitEvents(t, namespace, 2+4+1)
	eventually(t, "all were tried", func() error {
		if n := posts.Load(); n < 7 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	})
	stop()
	after := listEvents(t, namespace)
	for text, e := range before {
		if after[text].ResourceVersion != e.ResourceVersion {
			t.Errorf("%.50s was written again", text)
		}
	}
	if posts.Load() != 7 || puts.Load() != 0 {
		t.Errorf("a restart has sent %d creations and %d changes", posts.Load(), puts.Load())
	}

	// What was gone and has come again counts.
	third := newWriter()
	third.Publish([]model.Finding{finding("z", "Later", "new")})
	running(t, third.Run)
	third.Publish(nil)
	third.Publish([]model.Finding{finding("bad", "InvalidValue", "must be a number")})
	eventually(t, "the series", func() error {
		third.Publish([]model.Finding{finding("bad", "InvalidValue", "must be a number")})
		if e := listEvents(t, namespace)["bad InvalidValue must be a number"]; e.Series == nil || e.Series.Count != 2 {
			return fmt.Errorf("it is %v", e.Series)
		}
		return nil
	})
	if log.String() != "" {
		t.Errorf("the log says\n%s", &log)
	}
}

// An object without a namespace, and one whose namespace is not there.
func TestEventsOfOddObjects(t *testing.T) {
	var log journal
	w := events.New(log.logger(), clientset(t).EventsV1(), "pod", nil)
	w.Publish([]model.Finding{
		{Object: model.Object{Kind: "IngressClass", Name: "odd-class"}, Severity: model.Info, Reason: "Odd", Message: "m"},
		{Object: model.IngressObject("nowhere", "x"), Severity: model.Error, Reason: "Odd", Message: "m"},
		{Severity: model.Error, Reason: "Odd", Message: "of nothing"},
	})
	running(t, w.Run)
	eventually(t, "the Event", func() error {
		if e, ok := listEvents(t, "default")["odd-class Odd m"]; !ok || e.Type != "Normal" {
			return fmt.Errorf("it is %v", e)
		}
		return nil
	})
}
