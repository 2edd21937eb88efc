package sidedoor_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/sidegate/sidegate/pkg/sidedoor"
	"k8s.io/apimachinery/pkg/util/wait"
)

// A port that is taken ends nothing, and is listened on once it is free.
func TestPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	var ups, downs atomic.Int32
	d := &sidedoor.Door{
		Name: "test", Log: testr.New(t), Listen: sidedoor.TCP(address), Backoff: &wait.Backoff{Duration: time.Millisecond, Steps: 1},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
		Up: func(name string, up bool) {
			if name != "test" {
				t.Errorf("the name is %q", name)
			}
			if up {
				ups.Add(1)
			} else {
				downs.Add(1)
			}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Serve(ctx) }()
	eventually(t, func() bool { return downs.Load() > 2 })
	if ups.Load() != 0 {
		t.Error("it is up while another has the port")
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		response, err := http.Get("http://" + address)
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return err == nil && string(body) == "hello"
	})
	if ups.Load() != 1 {
		t.Errorf("it was up %d times", ups.Load())
	}
	cancel()
	<-done
}

func eventually(t *testing.T, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute")
		}
	}
}
