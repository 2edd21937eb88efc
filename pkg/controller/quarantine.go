package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/snapshot"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// quarantine holds the Ingresses, and the ConfigMap, whose configuration nginx
// refuses. The last version of one that nginx took stays in its place, and
// nobody else waits.
type quarantine struct {
	held map[types.NamespacedName]heldVersion
	// taken are the Ingresses of the last configuration that nginx took.
	taken map[types.NamespacedName]*networkingv1.Ingress

	// The same for the ConfigMap; nil is that it is not held.
	heldConfigMap  *heldVersion
	takenConfigMap *corev1.ConfigMap
}

// heldVersion is a version of an object, and what nginx said of it.
type heldVersion struct {
	object  model.Object
	version string
	message string
}

// guard puts the last good version in the place of what is held. An object
// that has changed since gets a new chance.
func (q *quarantine) guard(s *snapshot.Snapshot) *snapshot.Snapshot {
	if q.heldConfigMap != nil {
		if s.ConfigMap != nil && versionOf(s.ConfigMap) == q.heldConfigMap.version {
			s = withConfigMap(s, q.takenConfigMap)
		} else {
			q.heldConfigMap = nil
		}
	}
	if len(q.held) == 0 {
		return s
	}
	still := map[types.NamespacedName]heldVersion{}
	out := s.With(func(ing *networkingv1.Ingress) *networkingv1.Ingress {
		key := client.ObjectKeyFromObject(ing)
		held, ok := q.held[key]
		if !ok || held.version != versionOf(ing) {
			return ing
		}
		still[key] = held
		return q.taken[key]
	})
	q.held = still
	return out
}

// good remembers what nginx took.
func (q *quarantine) good(s *snapshot.Snapshot) {
	q.takenConfigMap = s.ConfigMap
	q.taken = make(map[types.NamespacedName]*networkingv1.Ingress, len(s.Ingresses))
	for _, ing := range s.Ingresses {
		q.taken[client.ObjectKeyFromObject(ing)] = ing
	}
}

func (q *quarantine) hold(ing *networkingv1.Ingress, message string) {
	if q.held == nil {
		q.held = map[types.NamespacedName]heldVersion{}
	}
	q.held[client.ObjectKeyFromObject(ing)] = heldVersion{model.IngressObject(ing.Namespace, ing.Name), versionOf(ing), message}
}

func (q *quarantine) findings() (out []model.Finding) {
	add := func(held heldVersion, instead string) {
		out = append(out, model.Finding{
			Object: held.object, Severity: model.Error, Reason: model.ReasonQuarantined,
			Message: fmt.Sprintf("nginx refuses its configuration: %s; %s until it changes", model.Clip(held.message), instead),
		})
	}
	for key, held := range q.held {
		instead := "nothing of it is served"
		if _, ok := q.taken[key]; ok {
			instead = "its last good version stays"
		}
		add(held, instead)
	}
	if q.heldConfigMap != nil {
		instead := "the defaults are served"
		if q.takenConfigMap != nil {
			instead = "its last good version stays"
		}
		add(*q.heldConfigMap, instead)
	}
	slices.SortFunc(out, model.Finding.Compare)
	return out
}

// isolate finds the object that makes nginx refuse the attempt, and returns
// the snapshot without it. nil is that none is at fault.
func (p *Pipeline) isolate(ctx context.Context, a *attempt, refused *nginx.RefusedError) *snapshot.Snapshot {
	if next := p.isolateConfigMap(ctx, a, refused); next != nil {
		return next
	}
	suspects := p.suspects(a, refused.Line)
	for len(suspects) > 0 {
		half := suspects[:(len(suspects)+1)/2]
		next := p.without(a.snapshot, half)
		err := p.try(ctx, next)
		var other *nginx.RefusedError
		switch {
		case err == nil || errors.As(err, &other) && len(suspects) == 1 && other.Message != refused.Message:
			// The fault is in this half, or this one of several is found.
			if len(half) == 1 {
				p.Log.Info("the offender is left out until it changes", "ingress", client.ObjectKeyFromObject(half[0]).String(), "nginx", refused.Message)
				p.quarantine.hold(half[0], refused.Message)
				return next
			}
			suspects = half
		case !errors.As(err, &other):
			return nil
		case len(suspects) == 1:
			return nil
		default:
			suspects = suspects[len(half):]
		}
	}
	return nil
}

// isolateConfigMap does so for the ConfigMap, where it has changed since nginx
// last took a configuration.
func (p *Pipeline) isolateConfigMap(ctx context.Context, a *attempt, refused *nginx.RefusedError) *snapshot.Snapshot {
	now, good := a.snapshot.ConfigMap, p.quarantine.takenConfigMap
	if now == nil || good != nil && versionOf(good) == versionOf(now) {
		return nil
	}
	next := withConfigMap(a.snapshot, good)
	err := p.try(ctx, next)
	var other *nginx.RefusedError
	if err != nil && (!errors.As(err, &other) || other.Message == refused.Message) {
		return nil
	}
	p.Log.Info("the ConfigMap is left out until it changes", "configmap", client.ObjectKeyFromObject(now).String(), "nginx", refused.Message)
	p.quarantine.heldConfigMap = &heldVersion{
		model.Object{Kind: "ConfigMap", Namespace: now.Namespace, Name: now.Name}, versionOf(now), refused.Message,
	}
	return next
}

// withConfigMap returns a copy of the snapshot with another ConfigMap.
func withConfigMap(s *snapshot.Snapshot, cm *corev1.ConfigMap) *snapshot.Snapshot {
	out := *s
	out.ConfigMap = cm
	return &out
}

// suspects are the Ingresses of the part that nginx names, or else those that
// changed since nginx last took a configuration, or else all.
func (p *Pipeline) suspects(a *attempt, line int) []*networkingv1.Ingress {
	owners := map[model.Object]bool{}
	if part, ok := a.result.PartAt(line); ok && line > 0 {
		for _, s := range a.output.Config.Servers {
			for _, l := range s.Locations {
				if s.Name == part.Name || string(l.Upstream) == part.Name {
					owners[l.Ingress] = true
				}
			}
		}
	}
	var named, changed []*networkingv1.Ingress
	for _, ing := range a.snapshot.Ingresses {
		key := client.ObjectKeyFromObject(ing)
		if owners[model.IngressObject(ing.Namespace, ing.Name)] {
			named = append(named, ing)
		}
		if old := p.quarantine.taken[key]; old == nil || versionOf(old) != versionOf(ing) {
			changed = append(changed, ing)
		}
	}
	for _, list := range [][]*networkingv1.Ingress{named, changed} {
		if len(list) > 0 {
			// The newest comes first: it is the likeliest.
			slices.Reverse(list)
			return list
		}
	}
	return a.snapshot.Ingresses
}

// without puts the last good versions in the place of the Ingresses.
func (p *Pipeline) without(s *snapshot.Snapshot, out []*networkingv1.Ingress) *snapshot.Snapshot {
	return s.With(func(ing *networkingv1.Ingress) *networkingv1.Ingress {
		if !slices.Contains(out, ing) {
			return ing
		}
		good := p.quarantine.taken[client.ObjectKeyFromObject(ing)]
		if good != nil && versionOf(good) == versionOf(ing) {
			return nil
		}
		return good
	})
}

// try has nginx test a snapshot without serving it.
func (p *Pipeline) try(ctx context.Context, s *snapshot.Snapshot) error {
	a, err := p.prepare(s)
	if err != nil {
		return err
	}
	if err := p.writeFiles(a); err != nil {
		return err
	}
	return p.Nginx.Test(ctx, nginx.Generation{ID: a.result.ID, Text: a.result.Text})
}

// versionOf tells versions of an object apart, also of one from a file.
func versionOf(object client.Object) string {
	if v := object.GetResourceVersion(); v != "" {
		return v
	}
	h := fnv.New64a()
	if err := json.NewEncoder(h).Encode(object); err != nil {
		return ""
	}
	return fmt.Sprintf("%x", h.Sum64())
}
