package tenants_test

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What is on disk was damaged, by a full volume or a machine that went down: it
// is not taken for what was written there.
func TestDamagedFilesCannotBeTakenForLive(t *testing.T) {
	w := newWorld(t)
	w.apply("long-secrets.yaml")
	defer w.remove("long-secrets.yaml")
	w.within(soon, "a certificate and users are in place", func() error {
		a, err := ask(question{host: "long-users.test", headers: []string{basic("alice")}})
		if err == nil && a.status != http.StatusOK {
			err = errNotYet
		}
		return err
	})
	live := filepath.Join(w.options.Dir, "nginx", "current", "nginx.conf")
	whole, err := os.ReadFile(live)
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.Index(whole, []byte(`server_name "shop.test";`)) // the server in front of it ends here
	if end < 0 {
		t.Fatal("the victim is not in the configuration")
	}
	end = bytes.LastIndex(whole[:end], []byte("server {"))
	damages := map[string]func() error{
		"emptied":                    func() error { return os.WriteFile(live, nil, 0o644) },
		"cut at the end of a server": func() error { return os.WriteFile(live, append(bytes.Clone(whole[:end]), '}', '\n'), 0o644) },
		"gone":                       func() error { return os.Remove(live) },
		"secrets emptied":            func() error { return empty(filepath.Join(w.options.Dir, "secrets")) },
	}
	for how, damage := range damages {
		for _, running := range []bool{true, false} {
			name := how + ", nginx runs"
			if !running {
				name = how + ", nginx starts anew"
			}
			t.Run(name, func(t *testing.T) { w.in(t).damaged(damage, running) })
		}
	}
}

// damaged damages files while no controller runs, and starts it.
func (w *world) damaged(damage func() error, running bool) {
	if err := w.gateway.StopController(syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
	if !running {
		if err := w.gateway.StopNginx(syscall.SIGTERM); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := damage(); err != nil {
		w.t.Fatal(err)
	}
	if running {
		// nginx reads what is there now, as a master does that somebody reloads.
		if err := w.gateway.ReloadNginx(); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.gateway.StartController(); err != nil {
		w.t.Fatal(err)
	}
	if !running {
		w.within(soon, "the controller lets nginx start", func() error {
			response, err := http.Get(w.gateway.HealthURL() + "/startupz")
			if err != nil {
				return err
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				return errNotYet
			}
			return nil
		})
		if err := w.gateway.StartNginx(); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.gateway.WaitReady(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.victimServed()
	w.answers("long-users.test", "/", http.StatusOK, basic("alice"))
	w.anotherIsServed()
}

// empty empties all files below a directory.
func empty(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return os.Truncate(path, 0)
	})
}
