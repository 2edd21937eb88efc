package model

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestConstructors(t *testing.T) {
	anyVariable := func(string) bool { return true }
	only := func(names ...string) func(string) bool {
		return func(n string) bool { return strings.Contains(","+strings.Join(names, ",")+",", ","+n+",") }
	}
	tests := []struct {
		name string
		make func(string) error
		good []string
		bad  []string
	}{
		{"Text", func(s string) error { _, err := Text(s); return err },
			[]string{"", "a b", `"';{}\`, "é", strings.Repeat("x", 3498), strings.Repeat(`"`, 1749), strings.Repeat("é", 1749)}, []string{"$", "a$b", "\n", "\x00", "\x7f", "\xff", strings.Repeat("x", 3499), strings.Repeat(`"`, 1750), strings.Repeat(`\\`, 1750), strings.Repeat("é", 1750)}},
		{"Expr", func(s string) error { _, err := NewExpr(s, only("host", "1")); return err },
			[]string{"", "a$host/b", "${host}x", "$1"}, []string{"$", "$$", "$uri", "a$", "${host", "$host}$other", "$ host", "\r"}},
		{"Expr with any variable", func(s string) error { _, err := NewExpr(s, anyVariable); return err },
			[]string{"$a$b"}, []string{"$", "$-"}},
		{"Regex", func(s string) error { _, err := NewRegex(s); return err },
			[]string{"^/a(/|$)(.*)", "(?=a)b", "(?<n>a)", "a{2,3}"}, []string{"(", "a)", "[a", "*a", `a\`, "a\nb", "\x00"}},
		{"Path", func(s string) error { _, err := NewPath(s); return err },
			[]string{"/", "/a b", "/$x", `/"`}, []string{"", "a", "/\n", "/\x00"}},
		{"Ident", func(s string) error { _, err := NewIdent(s); return err },
			[]string{"a", "a.b-c_9"}, []string{"", "a b", "a;", "a/b", "é", "$a"}},
		{"Size", func(s string) error { _, err := NewSize(s); return err },
			[]string{"0", "8k", "1M", "2g"}, []string{"", "-1", "1kb", "1 k", "k", "1;", "1234567890"}},
		{"Seconds", func(s string) error { _, err := NewSeconds(s); return err },
			[]string{"0", "60"}, []string{"", "-1", "60s", "1.5", "99999999999"}},
		{"Duration", func(s string) error { _, err := NewDuration(s); return err },
			[]string{"60", "60s", "1500ms", "10m", "1h", "7d"}, []string{"", "1h30m", "-1s", "999999999d", "s"}},
		{"Prefixes", func(s string) error { _, err := NewPrefixes(s); return err },
			[]string{"10.0.0.0/8", "10.1.2.3", "2001:db8::/32, 10.0.0.1", "10.0.0.1/8"}, []string{"", ",", "10.0.0.0/33", "x", "fe80::1%eth0"}},
		{"Header", func(s string) error { _, err := NewHeader(s); return err },
			[]string{"X-A_b"}, []string{"", "X A", "X:", "é"}},
		{"Host", func(s string) error { _, err := NewHost(s); return err },
			[]string{"a", "a.b-c.d", "*.a.b", "1.2"}, []string{"", "A.b", "a_b", "*", "*.*.a", "a.", "-a", "a;b", "~a", strings.Repeat("a.", 130) + "a"}},
	}
	for _, tt := range tests {
		for _, s := range tt.good {
			if err := tt.make(s); err != nil {
				t.Errorf("%s refuses %q: %v", tt.name, s, err)
			}
		}
		for _, s := range tt.bad {
			if err := tt.make(s); err == nil {
				t.Errorf("%s takes %q", tt.name, Clip(s))
			}
		}
	}
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", time.Hour: "3600s", 1500 * time.Millisecond: "1500ms"} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

// A private key must not get into a dump by any way of printing it.
func TestRedacted(t *testing.T) {
	f := File{Name: "a", Data: Redacted("secret")}
	j, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(j), fmt.Sprint(f), fmt.Sprintf("%v %+v %#v %s %x %q", f, f, f, f.Data, f.Data, f.Data)} {
		if strings.Contains(text, "secret") || strings.Contains(text, "736563726574") || strings.Contains(text, "115 101") {
			t.Errorf("shows the content: %s", text)
		}
	}
}

func TestClip(t *testing.T) {
	if got := Clip(strings.Repeat("é", 200)); len(got) > 160 || strings.Contains(got, "�") {
		t.Errorf("got %q", got)
	}
	if got := Clip("a\xffb"); got != "a�b" {
		t.Errorf("got %q", got)
	}
}
