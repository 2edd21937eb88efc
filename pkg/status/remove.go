package status

import (
	"context"

	"golang.org/x/sync/errgroup"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Remove takes the addresses away. It ends when ctx does; one status that
// cannot be written keeps no other from being tried. It logs what is left.
func (w *Writer) Remove(ctx context.Context) {
	list, err := w.Source.Ingresses(ctx)
	if err != nil {
		w.Log.Error(err, "Ingresses cannot be listed; they go on to report addresses that nobody answers at")
		return
	}
	var work []*networkingv1.Ingress
	for _, ing := range list {
		if len(ing.Status.LoadBalancer.Ingress) > 0 {
			work = append(work, ing)
		}
	}
	failed := make([]error, len(work))
	var group errgroup.Group
	group.SetLimit(writers)
	for i, ing := range work {
		group.Go(func() error {
			if failed[i] = ctx.Err(); failed[i] == nil {
				failed[i] = w.patch(ctx, ing, nil)
			}
			return nil
		})
	}
	_ = group.Wait() // each has its own
	var left []string
	var first error // thousands of them would be no line of a log
	for i, err := range failed {
		if err != nil {
			left = append(left, client.ObjectKeyFromObject(work[i]).String())
			if first == nil {
				first = err
			}
		}
	}
	if len(left) > 0 {
		w.Log.Error(first, "the time is over, or the API refuses it: some Ingresses go on to report addresses that nobody answers at",
			"left", len(left), "removed", len(work)-len(left), "first", left[0])
		return
	}
	if len(work) > 0 {
		w.Log.Info("the addresses are taken out of the status of Ingresses", "ingresses", len(work))
	}
}
