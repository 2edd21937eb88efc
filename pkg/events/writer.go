package events

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/model"
	"golang.org/x/time/rate"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/util/workqueue"
)

const (
	writers = 4
	// perSecond and burst bound how fast Events are written.
	perSecond, burst = 50, 100
	// One that cannot be written is tried again after the first pause, at the
	// longest the second, and maxTries times; a namespace that ends takes none.
	firstPause, longestPause = time.Second, 5 * time.Minute
	maxTries                 = 12
	// quiet is how soon the same Event is written again for a finding that
	// comes and goes.
	quiet = time.Minute
)

// Writer writes Events of the findings that were last published.
type Writer struct {
	Log    logr.Logger
	Client eventsclient.EventsGetter
	// Instance is the pod that reports.
	Instance string
	// UID is that of an object, or ""; "kubectl describe" asks by it.
	UID func(context.Context, model.Object) types.UID

	wake chan struct{}

	mu sync.Mutex
	// published says that there are findings, perhaps none.
	published bool
	findings  []model.Finding
	// want are the Events of findings that there are, known those of them that
	// were there when this process began to write: they are not written anew.
	want  map[string]*eventsv1.Event
	known map[string]bool
	// begun says that the first findings were seen.
	begun bool
	left  int
	// written has when an Event was last written.
	written map[string]time.Time
}

// New makes a Writer.
func New(log logr.Logger, api eventsclient.EventsGetter, instance string, uid func(context.Context, model.Object) types.UID) *Writer {
	return &Writer{Log: log, Client: api, Instance: instance, UID: uid, wake: make(chan struct{}, 1), written: map[string]time.Time{}}
}

// Publish says which findings there are; they must not change any more. It does
// not block.
func (w *Writer) Publish(findings []model.Finding) {
	w.mu.Lock()
	w.findings, w.published = findings, true
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

type queue = workqueue.TypedRateLimitingInterface[string]

// Run writes until ctx ends, beginning with what was last published.
func (w *Writer) Run(ctx context.Context) {
	q := workqueue.NewTypedRateLimitingQueueWithConfig(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstPause, longestPause),
		workqueue.TypedRateLimitingQueueConfig[string]{Name: "events"})
	limit := rate.NewLimiter(perSecond, burst)
	w.mu.Lock()
	w.want, w.known, w.begun = nil, nil, false
	w.mu.Unlock()
	var group sync.WaitGroup
	for range writers {
		group.Go(func() { w.work(ctx, q, limit) })
	}
	defer group.Wait()
	defer q.ShutDown()
	for {
		w.compare(q)
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
	}
}

// compare queues the Events of findings that are new.
func (w *Writer) compare(q queue) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.published {
		return // nothing was published yet
	}
	want, left := desired(w.findings)
	if left > 0 && left != w.left {
		w.Log.Info("there are more findings than Events are made of", "left", left)
	}
	w.left = left
	known := map[string]bool{}
	for name := range want {
		switch {
		case !w.begun:
			known[name] = true // perhaps it is there: see write
		case w.want[name] != nil:
			known[name] = w.known[name]
			continue
		}
		if time.Since(w.written[name]) >= quiet {
			q.Add(name)
		}
	}
	for name, at := range w.written {
		if want[name] == nil && time.Since(at) > quiet {
			delete(w.written, name)
		}
	}
	w.want, w.known, w.begun = want, known, true
}

func (w *Writer) work(ctx context.Context, q queue, limit *rate.Limiter) {
	for {
		name, end := q.Get()
		if end {
			return
		}
		w.one(ctx, q, limit, name)
		q.Done(name)
	}
}

func (w *Writer) one(ctx context.Context, q queue, limit *rate.Limiter, name string) {
	w.mu.Lock()
	e, known := w.want[name], w.known[name]
	w.mu.Unlock()
	if e == nil || limit.Wait(ctx) != nil {
		q.Forget(name)
		return
	}
	err := w.write(ctx, e.DeepCopy(), known)
	switch {
	case ctx.Err() != nil:
		return
	case err == nil:
		q.Forget(name)
		w.mu.Lock()
		w.written[name] = time.Now()
		w.mu.Unlock()
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, "NamespaceTerminating"):
		q.Forget(name) // nobody is there to read it
	case q.NumRequeues(name) >= maxTries:
		w.Log.Error(err, "an Event cannot be written; it is given up", "regarding", e.Regarding.Kind+" "+e.Regarding.Namespace+"/"+e.Regarding.Name, "reason", e.Reason)
		q.Forget(name)
	default:
		w.Log.V(1).Info("an Event cannot be written; it is tried again", "error", err.Error(), "reason", e.Reason)
		q.AddRateLimited(name)
	}
}

// write writes an Event. One that is there was written by an earlier process,
// which is all that is wanted of what is known; else the finding was gone in
// between, and the Event says that it has come again.
func (w *Writer) write(ctx context.Context, e *eventsv1.Event, known bool) error {
	api := w.Client.Events(e.Namespace)
	now := time.Now()
	stamp(e, now, w.Instance)
	if w.UID != nil {
		e.Regarding.UID = w.UID(ctx, model.Object{Kind: e.Regarding.Kind, Namespace: e.Regarding.Namespace, Name: e.Regarding.Name})
	}
	_, err := api.Create(ctx, e, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	if known {
		return nil
	}
	old, err := api.Get(ctx, e.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if old.Series == nil {
		old.Series = &eventsv1.EventSeries{Count: 1}
	}
	old.Series.Count++
	old.Series.LastObservedTime = metav1.NewMicroTime(now)
	_, err = api.Update(ctx, old, metav1.UpdateOptions{})
	return err
}
