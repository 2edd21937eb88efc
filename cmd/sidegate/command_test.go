package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/e2e/kit"
)

// run runs the command in this process.
func run(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	var out, fault bytes.Buffer
	c := newCommand()
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&fault)
	err = c.ExecuteContext(ctx)
	return out.String(), fault.String(), err
}

type commandTest struct {
	name string
	args []string
	// Parts of what is printed; "" is nothing, and so is no error.
	stdout, stderr []string
	err            string
	// not is in neither.
	not string
}

func (tt commandTest) check(t *testing.T, stdout, stderr string, err error) {
	t.Helper()
	for _, part := range tt.stdout {
		if !strings.Contains(stdout, part) {
			t.Errorf("standard output lacks %q:\n%s", part, stdout)
		}
	}
	for _, part := range tt.stderr {
		if !strings.Contains(stderr, part) {
			t.Errorf("standard error lacks %q:\n%s", part, stderr)
		}
	}
	if len(tt.stderr) == 0 && stderr != "" {
		t.Errorf("standard error has %q", stderr)
	}
	if tt.not != "" && strings.Contains(stdout+stderr, tt.not) {
		t.Errorf("it prints %q:\n%s%s", tt.not, stdout, stderr)
	}
	if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
		t.Errorf("the error is %v, want %q", err, tt.err)
	}
}

func TestCommands(t *testing.T) {
	binary := kit.Nginx(t)
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "retry.tmpl"), []byte("\tnonsense on;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, openToken := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "open")
	for file, mode := range map[string]os.FileMode{token: 0o600, openToken: 0o644} {
		if err := os.WriteFile(file, []byte("0123456789abcdef0123\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	const hash = "info: Ingress default/app: NotSupported: metadata.annotations[nginx.ingress.kubernetes.io/session-cookie-hash]"
	for _, tt := range []commandTest{
		{name: "render", args: []string{"render", "-f", "testdata/good"},
			stdout: []string{`server_name "app.example.com";`, `location = "/app" {`, `server_name "legacy.example.com";`, "geo $realip_remote_addr $sg_trusted_peer"}, stderr: []string{hash}},
		{name: "render one file", args: []string{"render", "-f", "testdata/good/app.yaml"},
			stdout: []string{`server_name "app.example.com";`}, stderr: []string{hash}, not: "legacy"},
		{name: "render fails for CI", args: []string{"render", "-f", "testdata/bad"}, err: "2 findings are errors", stdout: []string{"bad.example.com"},
			stderr: []string{`error: Ingress shop/bad: InvalidValue: metadata.annotations[nginx.ingress.kubernetes.io/app-root] = "/; return 200": must be an absolute path`, "warning: Ingress shop/bad: ServiceNotFound"}},
		{name: "render and test", args: []string{"render", "-f", "testdata/good", "--test", "--nginx-binary", binary}, stdout: []string{"app.example.com"}, stderr: []string{hash}},
		{name: "render what nginx refuses", args: []string{"render", "-f", "testdata/refused"}, stdout: []string{"refused.example.com"}},
		{name: "render and test what nginx refuses", args: []string{"render", "-f", "testdata/refused", "--test", "--nginx-binary", binary},
			stdout: []string{"refused.example.com"}, err: "(in what server.tmpl makes of refused.example.com)"},
		{name: "render and test broken templates", args: []string{"render", "-f", "testdata/good", "--test", "--nginx-binary", binary, "--template-dir", broken},
			stdout: []string{"nonsense"}, stderr: []string{hash}, err: `unknown directive "nonsense"`},
		{name: "render and test without nginx", args: []string{"render", "-f", "testdata/good", "--test", "--nginx-binary", "/nowhere/nginx"}, err: "/nowhere/nginx"},
		{name: "render no directory", args: []string{"render"}, err: "-f must name a directory of manifests"},
		{name: "render a missing directory", args: []string{"render", "-f", "testdata/none"}, err: "testdata/none"},
		{name: "render in a bad format", args: []string{"render", "-f", "testdata/good", "--format", "xml"}, err: `--format must be conf or json, not "xml"`},

		{name: "explain", args: []string{"explain", "http://app.example.com/app/x", "-f", "testdata/good"},
			stdout: []string{`location   "/app/": the longest prefix that matches`, "ingress    default/app, path /app (Prefix)", "198.51.100.7:8080 198.51.100.8:8080", "answer     by the backend"}, not: "198.51.100.9"},
		{name: "explain with a header", args: []string{"explain", "http://legacy.example.com/", "-f", "testdata/good", "-H", "X-Forwarded-Proto: https"}, stdout: []string{"answer     by the backend"}},
		{name: "explain without it", args: []string{"explain", "http://legacy.example.com/x", "-f", "testdata/good"}, stdout: []string{"308 by nginx to https://legacy.example.com/x"}},
		{name: "explain with a bad header", args: []string{"explain", "http://h/", "-f", "testdata/good", "-H", "Host"}, err: `--header must be NAME: VALUE, not "Host"`},
		{name: "explain what is no URL", args: []string{"explain", "app.example.com", "-f", "testdata/good"}, err: `"app.example.com" must be an absolute URL`},
		{name: "explain in a bad format", args: []string{"explain", "http://h/", "-o", "xml"}, err: `--output must be text or json, not "xml"`},
		{name: "explain nothing", args: []string{"explain"}, err: "accepts 1 arg(s)"},
		{name: "explain without a controller", args: []string{"explain", "http://h/", "--debug-address", "unix:/nowhere/debug.sock"}, err: "no controller answers at --debug-address unix:/nowhere/debug.sock"},
		{name: "dump without a controller", args: []string{"dump", "--debug-address", "127.0.0.1:1", "--debug-token-file", token}, err: "no controller answers at --debug-address 127.0.0.1:1"},
		{name: "dump what there is not", args: []string{"dump", "secrets"}, err: `invalid argument "secrets"`},
		{name: "dump from what is no address", args: []string{"dump", "--debug-address", "a b"}, err: `--debug-address: it must be unix:/PATH, HOST:PORT, auto, or empty, not "a b"`},
		{name: "dump from nowhere", args: []string{"dump", "--debug-address", ""}, err: "--debug-address must say where"},
		{name: "dump with a token that others can read", args: []string{"dump", "--debug-address", "127.0.0.1:1", "--debug-token-file", openToken}, err: "--debug-token-file: " + openToken + " must be a file that others cannot read"},
		{name: "serve TCP without a token", args: []string{"serve", "-f", "testdata/good", "--debug-address", "127.0.0.1:1"}, err: "--debug-address: the address 127.0.0.1:1: anybody who reaches a TCP address"},
		{name: "run with TCP and without a token", args: []string{"--debug-address", "127.0.0.1:1", "--kubeconfig", "/nowhere"}, err: "--debug-address: the address 127.0.0.1:1: anybody who reaches a TCP address"},
		{name: "run with a bad path", args: []string{"--health-check-path", "healthz", "--kubeconfig", "/nowhere"}, err: `--health-check-path must be a path such as /healthz, not "healthz"`},
		{name: "serve nothing", args: []string{"serve"}, err: "-f must name a directory of manifests"},
		{name: "serve a missing directory", args: []string{"serve", "-f", "testdata/none"}, err: "testdata/none"},
		{name: "version", args: []string{"version"}, stdout: []string{"sidegate unknown go"}},
		{name: "docs", args: []string{"docs"}, stdout: []string{"# Configuration"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, err := run(t.Context(), tt.args...)
			tt.check(t, stdout, stderr, err)
		})
	}
}

// The line that nginx names is that of what was printed.
func TestRefusedLine(t *testing.T) {
	stdout, _, err := run(t.Context(), "render", "-f", "testdata/refused", "--test", "--nginx-binary", kit.Nginx(t))
	if err == nil {
		t.Fatal("nginx takes it")
	}
	m := regexp.MustCompile(` in nginx\.conf:(\d+) `).FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("no line is named: %v", err)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	if line := strings.Split(stdout, "\n")[n-1]; !strings.Contains(line, "(?<=a+)b") {
		t.Errorf("line %d is %q", n, line)
	}
}

func TestRenderJSON(t *testing.T) {
	stdout, _, err := run(t.Context(), "render", "-f", "testdata/bad", "--format", "json")
	if err == nil {
		t.Error("findings that are errors are none")
	}
	var got struct {
		ID       string
		Findings []struct{ Reason string }
		Model    struct{ Servers []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.ID) != 64 || len(got.Findings) != 3 || len(got.Model.Servers) != 2 || got.Model.Servers[1].Name != "bad.example.com" {
		t.Errorf("got %+v", got)
	}
}

// Every command says what it does, with an example that its flags can do.
func TestHelp(t *testing.T) {
	for _, c := range newCommand().Commands() {
		if c.Hidden {
			continue
		}
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has no help", c.Name())
		}
		for line := range strings.Lines(c.Example) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), " >")
			command, _, _ = strings.Cut(command, " |")
			args := strings.Fields(strings.ReplaceAll(command, "'X-Forwarded-Proto: https'", "X-Forwarded-Proto:https"))
			found, rest, err := newCommand().Find(args[1:])
			if err != nil || found.Name() != c.Name() {
				t.Errorf("%q is %v, %v", line, found, err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			if err := found.Args(found, found.Flags().Args()); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
}
