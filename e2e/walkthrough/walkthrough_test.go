package walkthrough_test

import (
	"context"
	"os"
	"testing"

	"github.com/go-logr/logr/testr"

	manifests "github.com/sidegate/sidegate/examples/walkthrough"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/e2e/walkthrough"
)

// TestWalkthrough plays the story that `make demo-cluster` shows.
func TestWalkthrough(t *testing.T) {
	kit.RequireNetns(t)
	ctx, cancel := context.WithCancel(t.Context())
	plane := kit.NewControlPlane(t)
	// A short path: the sockets of nginx are below it.
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })

	echo := kit.Binary(t, "echo")
	log := testr.New(t)
	if err := kit.ServeDNS(ctx, plane.Client, kit.DNSIP); err != nil {
		t.Fatal(err)
	}
	if err := kit.ServeBalancers(ctx, plane.Config, kit.OneAddress, log); err != nil {
		t.Fatal(err)
	}
	kubelet, err := kit.StartKubelet(ctx, plane.Config, kit.KubeletOptions{Log: log, Runtime: kit.Processes{
		Images: map[string]string{"sidegate.test/echo": echo, "sidegate.test/default-backend": echo},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); kubelet.Wait() })

	var gateway *kit.Gateway
	t.Cleanup(func() {
		if gateway == nil {
			return
		}
		if err := gateway.Stop(); err != nil {
			t.Error(err)
		}
	})
	install := func(ctx context.Context, settings walkthrough.Settings) (did string, err error) {
		if gateway != nil {
			return "the controller has been started anew", gateway.RestartController(ctx, settings.Flags()...)
		}
		if err := kit.Apply(ctx, plane.Client, manifests.Files, "default", "01-install.yaml"); err != nil {
			return "", err
		}
		gateway, err = kit.StartGateway(ctx, kit.GatewayOptions{
			Dir: dir, Sidegate: kit.Binary(t, "sidegate"), Nginx: kit.Nginx(t), Kubeconfig: plane.Kubeconfig,
			Flags: append([]string{
				"--publish-service=ingress-nginx/ingress-nginx-controller",
				"--configmap=ingress-nginx/ingress-nginx-controller",
			}, settings.Flags()...),
		})
		return "the controller has started", err
	}
	err = walkthrough.Play(ctx, &walkthrough.Env{
		Client: plane.Client, Manifests: manifests.Files, Install: install,
		HTTP: kit.NodeIP.String() + ":80", HTTPS: kit.NodeIP.String() + ":443",
		Health: walkthrough.At("127.0.0.1:10254"),
		Debug:  func(ctx context.Context, page string) ([]byte, error) { return gateway.Debug(ctx, page) },
	}, reporter{t})
	if err != nil {
		t.Fatal(err)
	}
}

// reporter fails the test by each check that fails.
type reporter struct{ t *testing.T }

func (r reporter) Step(number int, title string) { r.t.Logf("step %d: %s", number, title) }
func (r reporter) Did(what string)               { r.t.Log(what) }
func (r reporter) Left(what string)              { r.t.Log("left out: " + what) }

func (r reporter) Check(c walkthrough.Check) {
	r.t.Helper()
	if !c.OK {
		r.t.Errorf("sent %s\ngot  %s\nwant %s", c.Sent, c.Got, c.Want)
	}
}
