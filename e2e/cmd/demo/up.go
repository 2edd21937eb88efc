package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	manifests "github.com/sidegate/sidegate/examples/walkthrough"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/e2e/walkthrough"
)

// demo is the side of the user.
type demo struct {
	dir       string
	cmd       *exec.Cmd // everything in the namespace ends with it
	conn      net.Conn
	encoder   *json.Encoder
	decoder   *json.Decoder
	addresses map[string]string // of the entries, out here
	installed bool              // the controller is
}

func up(ctx context.Context, dir, netns string, keep bool) error {
	start := time.Now()
	lock, err := takeLock(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := empty(dir); err != nil {
		return err
	}
	d := &demo{dir: dir, addresses: map[string]string{}}
	if err := d.launch(netns, lock); err != nil {
		return err
	}
	// Ends the wait for an answer when the user has had enough.
	defer context.AfterFunc(ctx, func() { d.conn.Close() })()
	kept := false
	defer func() {
		if !kept {
			d.end()
		}
	}()
	if err := d.answer(); err != nil {
		return d.explain(err)
	}
	env, err := d.env()
	if err != nil {
		return err
	}
	printer := &walkthrough.Printer{W: os.Stdout, Color: isTerminal(os.Stdout)}
	err = play(ctx, &env, printer, start)
	if err != nil && !keep {
		return d.explain(err)
	}
	if !keep {
		d.end()
		kept = true // it has ended already
		return os.RemoveAll(dir)
	}
	if applyErr := kit.Apply(ctx, env.Client, env.Manifests, "default", "browser.yaml"); applyErr != nil {
		return errors.Join(err, applyErr)
	}
	d.awaitBrowser()
	if keepErr := d.tell(order{Keep: true}); keepErr != nil {
		return errors.Join(err, keepErr)
	}
	kept = true
	d.printHowToGoOn()
	return err
}

// play plays and says how it went.
func play(ctx context.Context, env *walkthrough.Env, printer *walkthrough.Printer, start time.Time) error {
	err := walkthrough.Play(ctx, env, printer)
	if err == nil || errors.Is(err, walkthrough.ErrWrong) {
		fmt.Printf("\n%d of %d checks are as they should be, after %.0f s.\n", printer.Right, printer.Right+printer.Wrong, time.Since(start).Seconds())
	}
	return err
}

// launch starts the process in the namespace.
func (d *demo) launch(netns string, lock *os.File) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(d.dir, "inside.log"))
	if err != nil {
		return err
	}
	defer out.Close()
	conn, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer theirs.Close()
	files := []*os.File{theirs, lock}
	for _, e := range entries {
		f, address, err := listen(e.port)
		if err != nil {
			return fmt.Errorf("a socket for %s: %w", e.what, err)
		}
		defer f.Close()
		files, d.addresses[e.what] = append(files, f), address
	}
	d.cmd = exec.Command(netns, self, "inside")
	d.cmd.Env = append(os.Environ(), "SIDEGATE_DEMO_DIR="+d.dir)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.ExtraFiles = files
	// A session of its own: it may outlive the terminal, and Ctrl-C is for us.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.conn, d.encoder, d.decoder = conn, json.NewEncoder(conn), json.NewDecoder(conn)
	return os.WriteFile(filepath.Join(d.dir, pidName), []byte(strconv.Itoa(d.cmd.Process.Pid)), 0o644)
}

// listen listens on 127.0.0.1, on the port or another one when it is in use.
func listen(port int) (*os.File, string, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, "", err
	}
	defer l.Close() // the file has a copy
	f, err := l.(*net.TCPListener).File()
	return f, l.Addr().String(), err
}

// tell gives an order and waits until it has been carried out.
func (d *demo) tell(o order) error {
	if err := d.encoder.Encode(o); err != nil {
		return err
	}
	return d.answer()
}

func (d *demo) answer() error {
	for {
		var r report
		if err := d.decoder.Decode(&r); err != nil {
			return fmt.Errorf("the process in the namespace has ended: %w", err)
		}
		switch {
		case r.Say != "":
			fmt.Fprintln(os.Stderr, r.Say)
		case r.Err != "":
			return errors.New(r.Err)
		default:
			return nil
		}
	}
}

// env writes a kubeconfig that works out here, and returns where to play.
func (d *demo) env() (walkthrough.Env, error) {
	var env walkthrough.Env
	config, err := clientcmd.LoadFromFile(filepath.Join(d.dir, "cluster", "kubeconfig"))
	if err != nil {
		return env, err
	}
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + d.addresses["api"]
	}
	if err := clientcmd.WriteToFile(*config, d.kubeconfig()); err != nil {
		return env, err
	}
	rest, err := clientcmd.BuildConfigFromFlags("", d.kubeconfig())
	if err != nil {
		return env, err
	}
	env = walkthrough.Env{
		Manifests: manifests.Files,
		HTTP:      d.addresses["http"],
		HTTPS:     d.addresses["https"],
		Health:    walkthrough.At(d.addresses["health"]),
		Debug: func(ctx context.Context, page string) ([]byte, error) {
			return kit.DebugPage(ctx, d.debugAddress(), page)
		},
		Install: func(ctx context.Context, settings walkthrough.Settings) (string, error) {
			return d.install(ctx, env, settings)
		},
	}
	env.Client, err = client.New(rest, client.Options{})
	return env, err
}

// install applies what an installation brings along and starts the controller,
// or starts that anew.
func (d *demo) install(ctx context.Context, env walkthrough.Env, settings walkthrough.Settings) (string, error) {
	flags := settings.Flags()
	if d.installed {
		return "the controller has been started anew with " + strings.Join(flags, " "), d.tell(order{Controller: flags})
	}
	if err := kit.Apply(ctx, env.Client, env.Manifests, "default", "01-install.yaml"); err != nil {
		return "", err
	}
	d.installed = true
	return "kubectl apply -f examples/walkthrough/01-install.yaml; the controller has started, and nginx on its first configuration",
		d.tell(order{Controller: flags})
}

// debugAddress is the controller's socket, which is the same file out here.
func (d *demo) debugAddress() string { return "unix:" + filepath.Join(d.dir, "debug.sock") }

func (d *demo) kubeconfig() string { return filepath.Join(d.dir, "kubeconfig") }

// end ends everything in the namespace and waits for it.
func (d *demo) end() {
	d.conn.Close()
	kill := time.AfterFunc(10*time.Second, func() { d.cmd.Process.Kill() }) //nolint:errcheck // it has ended
	defer kill.Stop()
	d.cmd.Wait() //nolint:errcheck // how it ends does not matter
}

// explain adds where to look to an error.
func (d *demo) explain(err error) error {
	if errors.Is(err, walkthrough.ErrWrong) {
		fmt.Fprintf(os.Stderr, "The logs are in %s.\n", d.dir)
		return err
	}
	text := strings.TrimSpace(string(readTail(filepath.Join(d.dir, "inside.log"))))
	if text != "" {
		text = "\n" + text
	}
	return fmt.Errorf("%w%s\nThe logs are in %s", err, text, d.dir)
}

func readTail(file string) []byte {
	const size = 1500 // bytes
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return text[max(0, len(text)-size):]
}

func (d *demo) printHowToGoOn() {
	kubectl := "kubectl"
	if _, err := exec.LookPath(kubectl); err != nil {
		if cache, err := kit.CacheDir(); err == nil {
			kubectl = filepath.Join(cache, "bin", kubectl)
		}
	}
	_, httpPort, _ := net.SplitHostPort(d.addresses["http"])
	fmt.Printf(`
It goes on in the background. All state and all logs are in
  %[1]s

The entry point:
  curl -H 'Host: foo.bar.com' http://%[2]s/backend
  curl -k --connect-to secure.bar.com:443:%[3]s https://secure.bar.com/
  http://echo.localhost:%[7]s/ in a browser
The cluster:
  export KUBECONFIG=%[4]s
  %[8]s get ingress,services,pods -A
  %[8]s scale deployment echo --replicas=5
The controller:
  bin/sidegate dump --debug-address %[5]s
  bin/sidegate explain http://foo.bar.com/backend --debug-address %[5]s
  curl http://%[6]s/metrics

To end and remove it: make demo-clean
`, d.dir, d.addresses["http"], d.addresses["https"], d.kubeconfig(), d.debugAddress(), d.addresses["health"], httpPort, kubectl)
}

// awaitBrowser waits until the URL for the browser answers, for a while: it is
// the first thing that will be tried.
func (d *demo) awaitBrowser() {
	req, err := http.NewRequest(http.MethodGet, "http://"+d.addresses["http"]+"/", nil)
	if err != nil {
		return
	}
	req.Host = "echo.localhost"
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
