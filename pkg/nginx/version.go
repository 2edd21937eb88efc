package nginx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Version is a version of nginx.
type Version [3]int

// MinimumVersion is the oldest nginx that is accepted: 1.30.0 and older have
// a heap overflow in the rewrite module (CVE-2026-42945).
var MinimumVersion = Version{1, 30, 1}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// Info is what an nginx binary says of itself.
type Info struct {
	Version Version
	// ModulesPath is where dynamic modules are looked for.
	ModulesPath string
}

var (
	versionPattern = regexp.MustCompile(`nginx/(\d+)\.(\d+)\.(\d+)`)
	modulesPattern = regexp.MustCompile(`--modules-path=(\S+)`)
)

// Inspect runs `nginx -V`. A version below MinimumVersion is an error.
func Inspect(ctx context.Context, binary string) (Info, error) {
	out, err := exec.CommandContext(ctx, binary, "-V").CombinedOutput()
	if err != nil {
		return Info{}, fmt.Errorf("%s -V: %w", binary, err)
	}
	return parseInfo(binary, string(out))
}

func parseInfo(binary, out string) (Info, error) {
	m := versionPattern.FindStringSubmatch(out)
	if m == nil {
		return Info{}, fmt.Errorf("%s does not tell its version", binary)
	}
	var info Info
	for i := range info.Version {
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return Info{}, err
		}
		info.Version[i] = n
	}
	if slices.Compare(info.Version[:], MinimumVersion[:]) < 0 {
		return Info{}, fmt.Errorf("nginx %s is not accepted: versions before %s have a heap overflow in the rewrite module (CVE-2026-42945)", info.Version, MinimumVersion)
	}
	if m := modulesPattern.FindStringSubmatch(out); m != nil {
		info.ModulesPath = m[1]
	}
	return info, nil
}

// Module returns the file of a dynamic module, or "" where it is not
// installed. dir replaces ModulesPath if it is not empty.
func (i Info) Module(dir, name string) string {
	if dir == "" {
		dir = i.ModulesPath
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || dir == "" {
		return ""
	}
	return path
}
