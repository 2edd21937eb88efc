package kit

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

// Container is what a Runtime is to run.
type Container struct {
	Pod  *corev1.Pod
	Spec corev1.Container
	// Env holds POD_NAME, POD_NAMESPACE, POD_IP, POD_IPS (IPv4,IPv6), PORT (the
	// first containerPort), PORTS (all of them, a,b,c) and the literal values of
	// the container's own env. The ports are told because these pods share one
	// network: a program cannot have port 8080 to itself without its address.
	Env map[string]string
}

// Runtime starts containers.
type Runtime interface {
	Start(Container) (Process, error)
}

// Process is a container that runs.
type Process interface {
	// Terminate asks it to end, as SIGTERM does.
	Terminate()
	// Kill ends it at once, with every connection it has.
	Kill()
	// Done is closed when it has ended.
	Done() <-chan struct{}
}

// Processes is a Runtime in which a container is a process of this machine.
type Processes struct {
	// Images maps an image, without its tag, to the path of a program. A
	// container's command, where it has one, is run instead.
	Images map[string]string
	// LogDir is the folder for what the containers print, one file each; it is
	// thrown away when this is empty.
	LogDir string
}

// Start runs the program of the container's image with the container's args.
func (p Processes) Start(c Container) (Process, error) {
	argv := c.Spec.Command
	if len(argv) == 0 {
		program, ok := p.Images[imageName(c.Spec.Image)]
		if !ok {
			return nil, fmt.Errorf("no program stands for the image %s", c.Spec.Image)
		}
		argv = []string{program}
	}
	argv = append(argv[:len(argv):len(argv)], c.Spec.Args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C on a terminal is not for pods
	for name, value := range c.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out io.Closer = io.NopCloser(nil)
	if p.LogDir != "" {
		name := fmt.Sprintf("%s_%s_%s.log", c.Pod.Namespace, c.Pod.Name, c.Spec.Name)
		f, err := os.OpenFile(filepath.Join(p.LogDir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, err
		}
		cmd.Stdout, cmd.Stderr, out = f, f, f
	}
	if err := cmd.Start(); err != nil {
		out.Close()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait() //nolint:errcheck // how it ended makes no difference to a pod that is to run for ever
		out.Close()
		close(done)
	}()
	return osProcess{cmd.Process, done}, nil
}

type osProcess struct {
	process *os.Process
	done    chan struct{}
}

func (p osProcess) Terminate()            { p.process.Signal(syscall.SIGTERM) } //nolint:errcheck // it has ended
func (p osProcess) Kill()                 { p.process.Kill() }                  //nolint:errcheck // it has ended
func (p osProcess) Done() <-chan struct{} { return p.done }

// Program is a container that is a function of this process. It returns when
// ctx has ended and it has drained.
type Program func(ctx context.Context, getenv func(string) string) error

// Functions is a Runtime in which a container is a goroutine: hundreds of pods
// cost next to nothing. Kill does not end the connections of a Program that
// does not see to it itself, so tests that kill pods want Processes.
type Functions struct {
	// Images maps an image, without its tag, to what it does.
	Images map[string]Program
}

// Start runs the function of the container's image.
func (f Functions) Start(c Container) (Process, error) {
	program, ok := f.Images[imageName(c.Spec.Image)]
	if !ok {
		return nil, fmt.Errorf("no function stands for the image %s", c.Spec.Image)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &goroutine{cancel: cancel, done: make(chan struct{})}
	go func() {
		program(ctx, func(name string) string { return c.Env[name] }) //nolint:errcheck // as a process's status
		g.end()
	}()
	return g, nil
}

type goroutine struct {
	cancel context.CancelFunc
	once   sync.Once
	done   chan struct{}
}

func (g *goroutine) end()                  { g.once.Do(func() { close(g.done) }) }
func (g *goroutine) Terminate()            { g.cancel() }
func (g *goroutine) Kill()                 { g.cancel(); g.end() }
func (g *goroutine) Done() <-chan struct{} { return g.done }

// imageName is an image without tag and digest.
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image = image[:i]
	}
	return image
}
