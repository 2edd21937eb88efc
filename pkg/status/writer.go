package status

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Source is what is read, from caches.
type Source interface {
	// Ingresses are those of our classes.
	Ingresses(context.Context) ([]*networkingv1.Ingress, error)
	// Backend is a Service, or nil where there is none.
	Backend(context.Context, types.NamespacedName) (*corev1.Service, []*discoveryv1.EndpointSlice, error)
}

// Config says what Ingresses report.
type Config struct {
	// Service is the publishing Service, Addresses what is reported without one.
	Service   types.NamespacedName
	Addresses []string
}

const (
	// writers is how many statuses are written at once: an API server takes
	// some milliseconds for each.
	writers = 16
	// again is how often everything is compared, whatever happened.
	again = time.Minute
	// A status that cannot be written is tried again after the first, and at
	// the longest the second.
	firstPause, longestPause = 500 * time.Millisecond, 2 * time.Minute
)

// Writer writes statuses.
type Writer struct {
	Config
	Log    logr.Logger
	Client client.Client
	Source Source

	wake chan struct{}

	mu sync.Mutex
	// want is what was last known; nil before.
	want Addresses
	// unknown is why nothing newer is known; "" while it is.
	unknown string
	// failed has the last error of each status that waits for another try.
	failed map[types.NamespacedName]error
}

// New makes a Writer. Without anything to report it writes nothing.
func New(c Config, log logr.Logger, api client.Client, source Source) *Writer {
	return &Writer{Config: c, Log: log, Client: api, Source: source, wake: make(chan struct{}, 1), failed: map[types.NamespacedName]error{}}
}

// Reports tells whether there is anything to report.
func (w *Writer) Reports() bool { return w.Service.Name != "" || len(w.Addresses) > 0 }

// Changed has statuses compared with what they should be. It does not block.
func (w *Writer) Changed() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends, and returns when nothing is written any more.
func (w *Writer) Run(ctx context.Context) {
	if !w.Reports() {
		return
	}
	queue := workqueue.NewTypedRateLimitingQueueWithConfig(
		workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](firstPause, longestPause),
		workqueue.TypedRateLimitingQueueConfig[types.NamespacedName]{Name: "status"})
	var group sync.WaitGroup
	for range writers {
		group.Go(func() { w.work(ctx, queue) })
	}
	defer group.Wait()
	defer queue.ShutDown()
	tick := time.NewTicker(again)
	defer tick.Stop()
	for {
		w.compare(ctx, queue)
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-tick.C:
			w.logFailed()
		}
	}
}

type queue = workqueue.TypedRateLimitingInterface[types.NamespacedName]

// compare queues each Ingress that reports something else than it should.
func (w *Writer) compare(ctx context.Context, q queue) {
	want, ok := w.addresses(ctx)
	if !ok {
		return
	}
	list, err := w.Source.Ingresses(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.Log.Error(err, "Ingresses cannot be listed; their status stays as it is")
		}
		return
	}
	for _, ing := range list {
		key := client.ObjectKeyFromObject(ing)
		// One that failed has its turn when its pause is over.
		if !want.shown(ing) && q.NumRequeues(key) == 0 {
			q.Add(key)
		}
	}
}

// addresses are what Ingresses should report. Where that is not known, it is
// not ok, and what they report stays.
func (w *Writer) addresses(ctx context.Context) (_ Addresses, ok bool) {
	found, unknown := Fixed(w.Addresses), ""
	if w.Service.Name != "" {
		service, _, err := w.Source.Backend(ctx, w.Service)
		switch {
		case err != nil:
			unknown = err.Error()
		case service == nil:
			unknown = "it does not exist"
		default:
			if found = OfService(service); len(found) == 0 {
				unknown = "it has no address"
			}
		}
	}
	if ctx.Err() != nil {
		return nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if unknown != "" && unknown != w.unknown {
		w.Log.Info("the address of the publishing Service is not known; Ingresses go on to report what they report", "service", w.Service.String(), "why", unknown)
	}
	w.unknown = unknown
	if unknown == "" {
		w.want = found
	}
	return w.want, unknown == ""
}

// work writes one status after the other.
func (w *Writer) work(ctx context.Context, q queue) {
	for {
		key, end := q.Get()
		if end {
			return
		}
		err := w.write(ctx, key, w.wanted())
		switch {
		case ctx.Err() != nil:
		case err == nil:
			q.Forget(key)
		default:
			q.AddRateLimited(key)
		}
		w.note(ctx, key, err)
		q.Done(key)
	}
}

func (w *Writer) wanted() Addresses {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.want
}

// write brings one status up to date.
func (w *Writer) write(ctx context.Context, key types.NamespacedName, want Addresses) error {
	var ing networkingv1.Ingress
	if err := w.Client.Get(ctx, key, &ing); err != nil {
		return client.IgnoreNotFound(err)
	}
	if want.shown(&ing) {
		return nil
	}
	return w.patch(ctx, &ing, want)
}

func (w *Writer) patch(ctx context.Context, ing *networkingv1.Ingress, want Addresses) error {
	next := ing.DeepCopy()
	next.Status.LoadBalancer.Ingress = want
	return client.IgnoreNotFound(w.Client.Status().Patch(ctx, next, client.MergeFrom(ing)))
}

// note remembers what failed, and logs the first of many.
func (w *Writer) note(ctx context.Context, key types.NamespacedName, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		delete(w.failed, key)
		return
	}
	if len(w.failed) == 0 {
		w.Log.Error(err, "the status of an Ingress cannot be written; it is tried again, and others go on", "ingress", key.String())
	}
	w.failed[key] = err
}

// logFailed says once in a while what still fails.
func (w *Writer) logFailed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.failed) == 0 {
		return
	}
	first := slices.MinFunc(slices.Collect(maps.Keys(w.failed)), func(a, b types.NamespacedName) int {
		return strings.Compare(a.String(), b.String())
	})
	w.Log.Error(w.failed[first], "the status of some Ingresses cannot be written; each is tried again", "ingresses", len(w.failed), "first", first.String())
}
