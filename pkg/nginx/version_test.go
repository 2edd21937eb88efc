package nginx

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/e2e/kit"
)

func TestParseInfo(t *testing.T) {
	const configured = "\nbuilt by gcc 14\nconfigure arguments: --prefix=/etc/nginx "
	tests := []struct {
		out     string
		version Version
		modules string
		err     string
	}{
		{"nginx version: nginx/1.30.1" + configured + "--modules-path=/usr/lib/nginx/modules --with-compat", Version{1, 30, 1}, "/usr/lib/nginx/modules", ""},
		{"nginx version: nginx/1.31.0 (nginx-plus-r40)" + configured + "--modules-path='/opt/my modules'", Version{1, 31, 0}, "/opt/my modules", ""},
		{"nginx version: nginx/2.0.0", Version{2, 0, 0}, "", ""},
		{"nginx version: nginx/1.30.0" + configured, Version{}, "", "CVE-2026-42945"},
		{"nginx version: nginx/1.9.15", Version{}, "", "before 1.30.1"},
		{"nginx version: openresty/1.29.2.1", Version{}, "", `tells the version ""`},
		{"nginx version: nginx/99999999999999999999.1.1", Version{}, "", "tells the version \"9999"},
		{"", Version{}, "", `tells the version ""`},
	}
	for _, tt := range tests {
		info, err := parseInfo("/usr/sbin/nginx", tt.out)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "/usr/sbin/nginx") {
				t.Errorf("%q: error %v, want %q in it and the binary", tt.out, err, tt.err)
			}
			continue
		}
		if err != nil || info.Version != tt.version || info.ModulesPath != tt.modules {
			t.Errorf("%q: %+v, %v", tt.out, info, err)
		}
	}
}

func TestInspect(t *testing.T) {
	info, err := Inspect(context.Background(), kit.Nginx(t))
	if err != nil || info.Version.Compare(MinimumVersion) < 0 {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := Inspect(context.Background(), "/nowhere/nginx"); err == nil || !strings.Contains(err.Error(), "/nowhere/nginx") {
		t.Errorf("error %v", err)
	}
}

func TestModule(t *testing.T) {
	built, given := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(built, "a.so"), filepath.Join(given, "b.so")} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ path, dir, name, want string }{
		{built, "", "a.so", filepath.Join(built, "a.so")},
		{built, "", "b.so", ""},
		{built, given, "b.so", filepath.Join(given, "b.so")},
		{built, given, "a.so", ""},
		{"", "", "a.so", ""},
		{filepath.Dir(built), "", filepath.Base(built), ""}, // a directory
	}
	for _, tt := range tests {
		if got := (Info{ModulesPath: tt.path}).Module(tt.dir, tt.name); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}
