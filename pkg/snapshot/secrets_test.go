package snapshot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

var forbidden = apierrors.NewForbidden(corev1.Resource("secrets"), "bad", errors.New("not yours"))

// One Secret that cannot be read concerns those who name it, and is tried
// again.
func TestUnreadableSecret(t *testing.T) {
	c := newCluster(t)
	c.put(newIngress("a", "app", "bad"), newIngress("b", "app", "good"), newSecret("bad", "1"), newSecret("good", "2"))
	c.refuse[key("bad")] = forbidden
	s := c.source()
	var asked []time.Duration
	s.Again = func(after time.Duration, _ string) { asked = append(asked, after) }
	out := eventually(t, s, "the other one", func(out *Snapshot) bool { return len(out.Secrets) == 1 && len(out.Unreadable) == 1 })
	if _, fault := out.Secret(key("bad")); !strings.Contains(fault, "not yours") {
		t.Errorf("the fault is %q, without the reason", fault)
	}
	if _, fault := out.Secret(key("good")); fault != "" {
		t.Error(fault)
	}
	if len(asked) != 1 || asked[0] != firstRetry {
		t.Errorf("another snapshot was asked for after %v", asked)
	}
	// Runs for other reasons do not ask before it is due.
	reads := c.reads
	if out = eventually(t, s, "the same", func(*Snapshot) bool { return true }); c.reads != reads || len(out.Unreadable) != 1 || len(asked) != 1 {
		t.Errorf("%d reads before the retry is due; another snapshot was asked for %d times", c.reads-reads, len(asked))
	}
	delete(c.refuse, key("bad"))
	eventually(t, s, "the retry", func(out *Snapshot) bool { return len(out.Secrets) == 2 && len(out.Unreadable) == 0 })
}

func TestSecretRetriesBackOff(t *testing.T) {
	now := time.Now()
	var f secretFailure
	var got []time.Duration
	for range 12 {
		f = f.again("1", forbidden, now)
		got = append(got, f.pause)
	}
	if got[0] != firstRetry || got[1] != 2*firstRetry || got[11] != lastRetry {
		t.Errorf("the pauses are %v", got)
	}
	if f = f.again("2", forbidden, now); f.pause != firstRetry {
		t.Errorf("a new version waits for %v", f.pause)
	}
}

// The last content of a Secret stays when its next version cannot be read, and
// goes when the Secret goes.
func TestLastContentStays(t *testing.T) {
	c := newCluster(t)
	secret := newSecret("cert", "1")
	c.put(newIngress("a", "app", "cert"), secret)
	s := c.source()
	eventually(t, s, "the first version", func(out *Snapshot) bool { return len(out.Secrets) == 1 })
	for _, err := range []error{forbidden, errors.New("connection refused")} {
		c.mu.Lock()
		c.refuse[key("cert")] = err
		c.mu.Unlock()
		c.put(newSecret("cert", "2"))
		out := eventually(t, s, "that it fails", func(*Snapshot) bool { return len(s.secrets.failures) == 1 })
		if got := out.Secrets[key("cert")]; got == nil || string(got.Data["tls.key"]) != "1" || len(out.Unreadable) != 0 {
			t.Errorf("%v: the last content is gone: %v", err, out)
		}
		s.secrets.failures = nil
	}
	m := SecretMetadata()
	m.ObjectMeta = secret.ObjectMeta
	c.list(m).Delete(m)
	eventually(t, s, "that it is gone", func(out *Snapshot) bool { return len(out.Secrets) == 0 && len(out.Unreadable) == 0 })
}

// At a start, an API server that answers no question is no reason to serve
// every host without its certificate. One that refuses an answer is.
func TestNoAnswerAtTheStart(t *testing.T) {
	c := newCluster(t)
	c.put(newIngress("a", "app", "cert"), newSecret("cert", "1"))
	c.refuse[key("cert")] = context.DeadlineExceeded
	s := c.source()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := s.Snapshot(t.Context()); errors.Is(err, context.DeadlineExceeded) {
			break
		} else if err != nil || time.Now().After(deadline) {
			t.Fatalf("a snapshot without any Secret is taken: %v", err)
		}
	}
	if !s.Wants(key("cert")) {
		t.Error("after a failed snapshot, a change of what it named makes no run")
	}
	c.refuse[key("cert")] = forbidden
	eventually(t, s, "that its owner is told", func(out *Snapshot) bool { return len(out.Unreadable) == 1 })
}

// Thousands are read at once, within the bound.
func TestManySecrets(t *testing.T) {
	c := newCluster(t)
	const n = 2000
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		c.put(newIngress(name, "app", name), newSecret(name, name))
	}
	s := c.source()
	out := eventually(t, s, "all Secrets", func(out *Snapshot) bool { return len(out.Secrets) == n })
	for k, secret := range out.Secrets {
		if string(secret.Data["tls.key"]) != k.Name {
			t.Fatalf("%s has the content of another", k)
		}
	}
	if c.reads != n {
		t.Errorf("%d Secrets took %d reads", n, c.reads)
	}
}
