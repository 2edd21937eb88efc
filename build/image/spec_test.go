package image

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
)

func TestParseFile(t *testing.T) {
	tests := []struct {
		in   string
		want File
		err  string
	}{
		{"/a=b", File{"/a", "b", 0}, ""},
		{"/a=b:755", File{"/a", "b", 0o755}, ""},
		{"/a=b:0644", File{"/a", "b", 0o644}, ""},
		{"/a=b=c:d:600", File{"/a", "b=c:d", 0o600}, ""},
		{"", File{}, "want /DESTINATION=SOURCE"},
		{"/a", File{}, "want /DESTINATION=SOURCE"},
		{"/a=", File{}, "want /DESTINATION=SOURCE"},
		{"a=b", File{}, "want /DESTINATION=SOURCE"},
		{"/a=:755", File{}, "no source"},
		{"/a=b:", File{}, "must be octal"},
		{"/a=b:rwx", File{}, "must be octal"},
		{"/a=b:999", File{}, "must be octal"},
		{"/a=b:0", File{}, "must be octal"},
		{"/a=b:4755", File{}, "no setuid"},
		{"/a=b:-1", File{}, "must be octal"},
	}
	for _, tt := range tests {
		got, err := ParseFile(tt.in)
		if got != tt.want || !says(err, tt.err) {
			t.Errorf("%q is %+v, %v; want %+v, %q", tt.in, got, err, tt.want, tt.err)
		}
	}
}

func TestParsePort(t *testing.T) {
	for in, want := range map[string]string{"80": "80/tcp", "53/udp": "53/udp", "0": "", "65536": "", "80/http": "", "": "", "-1": ""} {
		if got, err := ParsePort(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", in, got, err, want)
		}
	}
}

// The bytes are those that setcap of libcap 2.66 wrote.
func TestCapability(t *testing.T) {
	tests := []struct{ in, want, err string }{
		{"cap_net_bind_service=ep", setNetBind, ""},
		{"cap_net_bind_service+ep", setNetBind, ""},
		{"cap_net_bind_service=p", "\x00" + setNetBind[1:], ""},
		{"cap_net_raw,cap_net_bind_service=ep", "\x01\x00\x00\x02\x00\x24" + strings.Repeat("\x00", 14), ""},
		{"cap_net_raw=ep", "\x01\x00\x00\x02\x00\x20" + strings.Repeat("\x00", 14), ""},
		{"cap_bpf=ei", "\x01\x00\x00\x02" + strings.Repeat("\x00", 12) + "\x80\x00\x00\x00", ""},
		{"", "", "one clause"},
		{"=", "", "at least one"},
		{"cap_chown=e", "", "at least one"},
		{"cap_everything=ep", "", "no set of capabilities"},
		{"cap_chown=ep cap_net_raw=p", "", "one clause"},
	}
	for _, tt := range tests {
		got, err := packCapability(tt.in)
		if got != tt.want || !says(err, tt.err) {
			t.Errorf("%q is %q, %v; want %q, %q", tt.in, got, err, tt.want, tt.err)
		}
	}
	for _, in := range []string{"", "/a", "a=cap_chown=ep", "/a=what"} {
		if _, _, err := ParseCapability(in); err == nil {
			t.Errorf("ParseCapability(%q) gave no error", in)
		}
	}
}

func TestTags(t *testing.T) {
	tests := []struct{ in, full, short, tag, err string }{
		{"a:1", "docker.io/library/a:1", "a:1", "1", ""},
		{"sidegate/sidegate:1.0-rc1", "docker.io/sidegate/sidegate:1.0-rc1", "sidegate/sidegate:1.0-rc1", "1.0-rc1", ""},
		{"localhost/sidegate/sidegate:x", "localhost/sidegate/sidegate:x", "localhost/sidegate/sidegate:x", "x", ""},
		{"localhost:5000/a:1", "localhost:5000/a:1", "localhost:5000/a:1", "1", ""},
		{"a", "", "", "", "want NAME:TAG"},
		{"", "", "", "", "invalid reference"},
		{"A:1", "", "", "", "lowercase"},
		{"a:b c", "", "", "", "invalid reference"},
		{"a:" + strings.Repeat("1", 129), "", "", "", "invalid reference"},
		{"a:1@sha256:" + strings.Repeat("0", 64), "", "", "", "want NAME:TAG"},
	}
	for _, tt := range tests {
		full, short, tag, err := parseTag(tt.in)
		if full != tt.full || short != tt.short || tag != tt.tag || !says(err, tt.err) {
			t.Errorf("%q is %q, %q, %q, %v; want %+v", tt.in, full, short, tag, err, tt)
		}
	}
	if err := WriteArchive(&bytes.Buffer{}, empty.Image); !says(err, "needs a tag") {
		t.Errorf("an archive without a tag: %v", err)
	}
}

// says tells whether an error has the text in it; without a text there must be
// no error.
func says(err error, text string) bool {
	if text == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), text)
}
