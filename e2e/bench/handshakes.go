package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"text/template"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sync/errgroup"
)

// How certificates can be told to nginx. Ours is "cached"; the others are what
// it was chosen from.
var certificateModes = []string{"static", "variable", "cached"}

// certificateCounts are how many certificates there are.
var certificateCounts = []int{1, 5000}

const (
	handshakers = 8 // connections that are opened at the same time
	// handshakesPerSample is large enough for the kernel's count of CPU time,
	// which is in hundredths of a second.
	handshakesPerSample = 2000
)

//go:embed handshakes.conf
var handshakesConfig string

// certificatePart names the series of a way and a number of certificates.
func certificatePart(mode string, count int) string { return fmt.Sprintf("%s-%d", mode, count) }

// tlsServer is an nginx of its own, with one worker.
type tlsServer struct {
	mode  string
	count int
	port  int
	dir   string
	nginx *exec.Cmd
	times []float64
}

// handshakes measures what a new TLS session costs a worker, for the ways in
// which certificates can be given, side by side.
func handshakes(ctx context.Context, o options, results *Results) (err error) {
	_, binary, err := programs()
	if err != nil {
		return err
	}
	if err := results.describeMachine(binary); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	progress("  making %d certificates", certificateCounts[len(certificateCounts)-1])
	if err := makeCertificates(dir, certificateCounts[len(certificateCounts)-1]); err != nil {
		return err
	}
	var servers []*tlsServer
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.stop())
		}
	}()
	for _, count := range certificateCounts {
		for _, mode := range certificateModes {
			s := &tlsServer{mode: mode, count: count, port: 9440 + len(servers), dir: dir}
			servers = append(servers, s)
			if err := s.start(ctx, binary, results); err != nil {
				return fmt.Errorf("%s with %d certificates: %w", mode, count, err)
			}
		}
	}
	for i := range o.samples + 1 {
		for _, s := range servers {
			t, err := s.sample(ctx)
			if err != nil {
				return err
			}
			if i > 0 { // the first round fills caches
				s.times = append(s.times, t)
			}
		}
		if i > 0 && i%5 == 0 {
			progress("  %d of %d", i, o.samples)
		}
	}
	for _, s := range servers {
		results.set("handshake-cpu", 0, certificatePart(s.mode, s.count), "s", s.times)
	}
	return nil
}

// start tests and starts it; the time of the test is a figure as well, for a
// reload has it twice.
func (s *tlsServer) start(ctx context.Context, binary string, results *Results) error {
	file := filepath.Join(s.dir, fmt.Sprintf("%s-%d.conf", s.mode, s.count))
	var b bytes.Buffer
	err := template.Must(template.New("").Parse(handshakesConfig)).Execute(&b, map[string]any{
		"Mode": s.mode, "Hosts": hostsOf(s.count), "Port": s.port, "Dir": s.dir, "PIDFile": file + ".pid", "Cache": s.count + 100,
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return err
	}
	var tests []float64
	for range 3 {
		begin := time.Now()
		if out, err := exec.CommandContext(ctx, binary, "-t", "-q", "-e", "stderr", "-c", file).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
		}
		tests = append(tests, time.Since(begin).Seconds())
	}
	results.set("handshake-test", 0, certificatePart(s.mode, s.count), "s", tests)
	s.nginx = exec.CommandContext(ctx, binary, "-e", "stderr", "-c", file)
	s.nginx.Stderr = os.Stderr
	if err := s.nginx.Start(); err != nil {
		return err
	}
	return until(ctx, "nginx", 20*time.Millisecond, func() (bool, error) {
		c, err := net.Dial("tcp", s.address())
		if err != nil {
			return false, nil
		}
		return true, c.Close()
	})
}

func (s *tlsServer) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *tlsServer) stop() error {
	if s.nginx == nil || s.nginx.Process == nil {
		return nil
	}
	if err := s.nginx.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.nginx.Wait()
}

// sample opens connections and returns the CPU time of each in seconds.
func (s *tlsServer) sample(ctx context.Context) (float64, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range handshakers {
		group.Go(func() error {
			for {
				i := int(next.Add(1) - 1)
				if i >= handshakesPerSample || ctx.Err() != nil {
					return ctx.Err()
				}
				// Steps of a prime number, so that all names come up.
				c, err := tls.Dial("tcp", s.address(), &tls.Config{ServerName: tlsHost(i * 7 % s.count), InsecureSkipVerify: true})
				if err != nil {
					return err
				}
				if name := c.ConnectionState().PeerCertificates[0].Subject.CommonName; name != tlsHost(i*7%s.count) {
					return fmt.Errorf("%s: the certificate is that of %s", tlsHost(i*7%s.count), name)
				}
				_ = c.Close() // it has served
			}
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	after, err := s.cpu()
	return (after - before) / handshakesPerSample, err
}

// cpu is the CPU time of the worker, in seconds.
func (s *tlsServer) cpu() (float64, error) {
	procs, err := procfs.AllProcs()
	if err != nil {
		return 0, err
	}
	for _, p := range procs {
		if stat, err := p.Stat(); err == nil && stat.PPID == s.nginx.Process.Pid {
			return stat.CPUTime(), nil
		}
	}
	return 0, errors.New("nginx has no worker")
}

func tlsHost(i int) string { return fmt.Sprintf("h%d.example.com", i) }

func hostsOf(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = tlsHost(i)
	}
	return out
}

// makeCertificates writes a key and a certificate for each host.
func makeCertificates(dir string, n int) error {
	for i := range n {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: tlsHost(i)}, DNSNames: []string{tlsHost(i)},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0),
		}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			return err
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
			pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
		if err := os.WriteFile(filepath.Join(dir, tlsHost(i)+".pem"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
