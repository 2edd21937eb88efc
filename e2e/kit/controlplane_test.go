package kit_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The API server can be taken away and comes back with the same objects, for
// the same clients.
func TestAPIServerComesBack(t *testing.T) {
	ctx := context.Background()
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept", Namespace: "default"}}
	if err := plane.Client.Create(ctx, config); err != nil {
		t.Fatal(err)
	}
	// An open watch is what makes an API server slow to end.
	watching, err := client.NewWithWatch(plane.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := watching.Watch(ctx, &corev1.ConfigMapList{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()

	if err := plane.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	get := func() error { return plane.Client.Get(ctx, client.ObjectKeyFromObject(config), config) }
	if err := get(); err == nil {
		t.Error("the API server answers after it was stopped")
	}
	if err := plane.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the object is there again", get)
}

// eventually repeats a check until it returns nil, for at most a minute.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in a minute: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
