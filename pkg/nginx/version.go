package nginx

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// Version is a version of nginx.
type Version [3]int

// MinimumVersion is the oldest nginx that is accepted: 1.30.0 and older have
// a heap overflow in the rewrite module (CVE-2026-42945).
var MinimumVersion = Version{1, 30, 1}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// Compare is negative when v is older than other, and 0 when they are equal.
func (v Version) Compare(other Version) int { return slices.Compare(v[:], other[:]) }

// Info is what an nginx binary says of itself.
type Info struct {
	Version Version
	// ModulesPath is where dynamic modules are looked for.
	ModulesPath string
}

var (
	versionPattern = regexp.MustCompile(`(?m)^nginx version: nginx/(\d+\.\d+\.\d+)`)
	modulesPattern = regexp.MustCompile(`--modules-path=('[^']*'|\S+)`)
)

// Inspect runs `nginx -V`. A version below MinimumVersion is an error, and so
// is a binary that is no nginx.
func Inspect(ctx context.Context, binary string) (Info, error) {
	out, err := exec.CommandContext(ctx, binary, "-V").CombinedOutput()
	if err != nil {
		return Info{}, fmt.Errorf("%s -V cannot tell the version of nginx: %w", binary, err)
	}
	return parseInfo(binary, string(out))
}

func parseInfo(binary, out string) (Info, error) {
	var told string
	if m := versionPattern.FindStringSubmatch(out); m != nil {
		told = m[1]
	}
	version, err := parseVersion(binary, told)
	if err != nil {
		return Info{}, err
	}
	info := Info{Version: version}
	if m := modulesPattern.FindStringSubmatch(out); m != nil {
		info.ModulesPath = trimQuotes(m[1])
	}
	return info, nil
}

// parseVersion reads what an nginx tells of itself, and refuses what is too
// old.
func parseVersion(who, told string) (Version, error) {
	var v Version
	if n, err := fmt.Sscanf(told, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil || n != len(v) {
		return Version{}, fmt.Errorf("%s tells the version %.40q; one such as %s is expected", who, told, MinimumVersion)
	}
	if v.Compare(MinimumVersion) < 0 {
		return Version{}, fmt.Errorf("%s has version %s, which is not accepted: nginx before %s has a heap overflow in the rewrite module (CVE-2026-42945), and an Ingress can reach it",
			who, v, MinimumVersion)
	}
	return v, nil
}

func trimQuotes(s string) string {
	if len(s) > 1 && s[0] == '\'' {
		return s[1 : len(s)-1]
	}
	return s
}

// Module returns the file of a dynamic module, such as
// ngx_http_js_module.so, or "" where it is not installed. A dir that is not
// empty replaces ModulesPath.
func (i Info) Module(dir, name string) string {
	if dir == "" {
		dir = i.ModulesPath
	}
	if dir == "" {
		return "" // built without dynamic modules
	}
	path := filepath.Join(dir, name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}
