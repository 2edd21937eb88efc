package snapshot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The cache holds the metadata of Secrets only. What an Ingress or a flag
// names is read from the API server, once for each of its versions.
const (
	// secretReaders bounds the questions that are under way, secretTimeout
	// the time that each may take.
	secretReaders = 32
	secretTimeout = 10 * time.Second
	// A Secret that cannot be read is asked for again after firstRetry, and
	// then after twice as long each time, up to lastRetry.
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	// manySecrets is from which number on progress is logged.
	manySecrets = 500
)

// SecretMetadata is what the cache holds of a Secret.
func SecretMetadata() *metav1.PartialObjectMetadata {
	out := &metav1.PartialObjectMetadata{}
	out.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return out
}

// secretReader remembers what was read.
type secretReader struct {
	contents map[types.NamespacedName]*corev1.Secret
	failures map[types.NamespacedName]secretFailure
	// due is when a snapshot was last asked for.
	due time.Time
}

// secretFailure is why a version of a Secret could not be read, and when it
// is asked for again.
type secretFailure struct {
	version string
	err     error
	pause   time.Duration
	next    time.Time
}

// readSecrets reads the Secrets that something names.
func (s *Source) readSecrets(ctx context.Context, out *Snapshot, wanted map[types.NamespacedName]bool) error {
	r := &s.secrets
	now := time.Now()
	contents := make(map[types.NamespacedName]*corev1.Secret, len(wanted))
	failures := map[types.NamespacedName]secretFailure{}
	versions := map[types.NamespacedName]string{} // of those to read
	inCache := s.Scope.namespaces(s.Scope.Secrets)
	metadata := SecretMetadata()
	for key := range wanted {
		if !holds(inCache, key.Namespace) {
			continue
		}
		switch err := s.Reader.Get(ctx, key, metadata); {
		case apierrors.IsNotFound(err):
			continue
		case err != nil:
			return err
		}
		old, failure := r.contents[key], r.failures[key]
		if old != nil {
			contents[key] = old
		}
		switch {
		case old != nil && same(old, metadata):
		case failure.err != nil && failure.version == metadata.ResourceVersion && now.Before(failure.next):
			failures[key] = failure
		default:
			versions[key] = metadata.ResourceVersion
		}
	}
	answers := s.fetch(ctx, versions)
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(r.contents) == 0 && len(contents) == 0 && unanswered(answers) {
		return fmt.Errorf("the API server answers for none of the %d Secrets that are named: %w", len(answers), first(answers))
	}
	for key, a := range answers {
		switch {
		case a.err == nil:
			contents[key] = a.secret
		case apierrors.IsNotFound(a.err):
			delete(contents, key)
		default:
			failures[key] = r.failures[key].again(versions[key], a.err, now)
			s.Log.Error(a.err, "a Secret cannot be read; it is tried again", "secret", key.String(), "lastContentStays", contents[key] != nil)
		}
	}
	out.Secrets = contents
	for key, f := range failures {
		if contents[key] == nil {
			if out.Unreadable == nil {
				out.Unreadable = map[types.NamespacedName]error{}
			}
			out.Unreadable[key] = f.err
		}
	}
	r.contents, r.failures = contents, failures
	s.retry(failures, now)
	return nil
}

// again is the failure that follows on f.
func (f secretFailure) again(version string, err error, now time.Time) secretFailure {
	next := secretFailure{version: version, err: err, pause: firstRetry}
	if f.err != nil && f.version == version {
		next.pause = min(2*f.pause, lastRetry)
	}
	next.next = now.Add(next.pause)
	return next
}

// retry asks for a snapshot when the first of the failures is due, unless one
// is due by then.
func (s *Source) retry(failures map[types.NamespacedName]secretFailure, now time.Time) {
	if s.Again == nil || len(failures) == 0 {
		return
	}
	due := now.Add(lastRetry)
	for _, f := range failures {
		if f.next.Before(due) {
			due = f.next
		}
	}
	if s.secrets.due.After(now) && !s.secrets.due.After(due) {
		return
	}
	s.secrets.due = due
	s.Again(due.Sub(now), "Secrets that could not be read")
}

// secretAnswer is what the API server said.
type secretAnswer struct {
	secret *corev1.Secret
	err    error
}

// fetch reads Secrets from the API server, many at once.
func (s *Source) fetch(ctx context.Context, wanted map[types.NamespacedName]string) map[types.NamespacedName]secretAnswer {
	if len(wanted) == 0 {
		return nil
	}
	var (
		mu    sync.Mutex
		out   = make(map[types.NamespacedName]secretAnswer, len(wanted))
		group errgroup.Group
		start = time.Now()
	)
	group.SetLimit(secretReaders)
	for key := range wanted {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, secretTimeout)
			defer cancel()
			secret := &corev1.Secret{}
			err := s.Live.Get(ctx, key, secret)
			strippedSecret(secret)
			mu.Lock()
			defer mu.Unlock()
			out[key] = secretAnswer{secret, err}
			if n := len(out); len(wanted) >= manySecrets && (n%manySecrets == 0 || n == len(wanted)) {
				s.Log.Info("Secrets are read", "read", n, "of", len(wanted), "duration", time.Since(start).Round(time.Millisecond).String())
			}
			return nil
		})
	}
	_ = group.Wait() // each answer has its own error
	return out
}

// strippedSecret removes what nobody reads.
func strippedSecret(s *corev1.Secret) {
	s.Labels, s.Annotations, s.OwnerReferences, s.ManagedFields = nil, nil, nil, nil
}

// unanswered tells whether the API server answered none of the questions,
// not even by a refusal.
func unanswered(answers map[types.NamespacedName]secretAnswer) bool {
	for _, a := range answers {
		var status apierrors.APIStatus
		if a.err == nil || errors.As(a.err, &status) {
			return false
		}
	}
	return len(answers) > 0
}

func first(answers map[types.NamespacedName]secretAnswer) error {
	for _, a := range answers {
		return a.err
	}
	return nil
}

// Secret returns a Secret, or why there is none: the end of a sentence that
// begins with its name.
func (s *Snapshot) Secret(key client.ObjectKey) (secret *corev1.Secret, fault string) {
	if secret, ok := s.Secrets[key]; ok {
		return secret, ""
	}
	if err, ok := s.Unreadable[key]; ok {
		return nil, "cannot be read (" + err.Error() + "); it is tried again"
	}
	return nil, "does not exist"
}
