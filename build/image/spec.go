package image

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Spec says what an image is made of.
type Spec struct {
	// Tags are names as docker takes them: "sidegate/sidegate:1.0".
	Tags []string
	// Architecture is one of Go's names: "amd64", "arm64".
	Architecture string
	// Created goes into the image's config. The files have times of their
	// own, which are all 0: a layer whose files stay keeps its digest.
	Created time.Time
	// Root, if not empty, is a folder that becomes the first layer. Owners
	// and modes are taken as they are, extended attributes are not.
	Root string
	// Files are the second layer, owned by root.
	Files []File
	// Capabilities of files in the image, by the path there, as text:
	// "cap_net_bind_service=ep".
	Capabilities map[string]string
	// Config is what runs, and as whom.
	Config v1.Config
}

// File is a file or a folder with all below it, and where it goes.
type File struct {
	Destination, Source string
	// Mode replaces the permissions of a file where it is not 0.
	Mode fs.FileMode
}

// ParseFile parses DST=SRC[:MODE]. What follows the last colon is the mode, in
// octal, so a source with a colon in it needs one.
func ParseFile(s string) (File, error) {
	dst, src, ok := strings.Cut(s, "=")
	if !ok || src == "" || !path.IsAbs(dst) {
		return File{}, fmt.Errorf("file %q: want /DESTINATION=SOURCE[:MODE]", s)
	}
	f := File{Destination: dst, Source: src}
	i := strings.LastIndexByte(src, ':')
	if i < 0 {
		return f, nil
	}
	mode, err := strconv.ParseUint(src[i+1:], 8, 32)
	if err != nil || mode == 0 || mode > 0o777 {
		return File{}, fmt.Errorf("file %q: the mode %q must be octal, from 1 to 777: no setuid, setgid or sticky file is made", s, src[i+1:])
	}
	f.Source, f.Mode = src[:i], fs.FileMode(mode)
	if f.Source == "" {
		return File{}, fmt.Errorf("file %q: there is no source before the mode", s)
	}
	return f, nil
}

// ParseCapability parses PATH=CAPABILITIES, such as
// /usr/sbin/nginx=cap_net_bind_service=ep.
func ParseCapability(s string) (file, capabilities string, err error) {
	file, capabilities, ok := strings.Cut(s, "=")
	if !ok || !path.IsAbs(file) {
		return "", "", fmt.Errorf("capability %q: want /PATH=CAPABILITIES, such as /usr/sbin/nginx=cap_net_bind_service=ep", s)
	}
	if _, err := packCapability(capabilities); err != nil {
		return "", "", fmt.Errorf("capability %q: %w", s, err)
	}
	return file, capabilities, nil
}

// parseTag gives the tag in full, as containerd has it
// (docker.io/sidegate/sidegate:1.0), and short, as docker has it.
func parseTag(s string) (full, short, tag string, err error) {
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		return "", "", "", fmt.Errorf("tag %q: %w", s, err)
	}
	tagged, ok := named.(reference.NamedTagged)
	if _, digested := named.(reference.Digested); !ok || digested {
		return "", "", "", fmt.Errorf("tag %q: want NAME:TAG", s)
	}
	return tagged.String(), reference.FamiliarString(tagged), tagged.Tag(), nil
}

// ParsePort parses PORT[/tcp|/udp|/sctp] and gives it with the protocol.
func ParsePort(s string) (string, error) {
	number, protocol, ok := strings.Cut(s, "/")
	if !ok {
		protocol = "tcp"
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || !slices.Contains([]string{"tcp", "udp", "sctp"}, protocol) {
		return "", fmt.Errorf("port %q: want PORT or PORT/PROTOCOL, from 1 to 65535, of tcp, udp or sctp", s)
	}
	return number + "/" + protocol, nil
}
