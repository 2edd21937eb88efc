package model

import (
	"regexp"
	"strings"
	"testing"
)

// A named group is a variable of nginx's whole configuration: no expression of
// an Ingress may bring one.
func TestGroupsCannotBeVariables(t *testing.T) {
	for in, want := range map[string]string{
		`^/(?<tls_certificate>x)`:    `^/(x)`,
		`^/(?P<to_https>x)(y)`:       `^/(x)(y)`,
		`^/(?'hsts'x)`:               `^/(x)`,
		`^/a(?:b(?<n>c(?<m>d)))`:     `^/a(?:b(c(d)))`,
		`^/\(?<n>x`:                  `^/\(?<n>x`, // no group: an optional parenthesis
		`^/[(?<n>x)]`:                `^/[(?<n>x)]`,
		`^/[](?<n>x)]`:               `^/[](?<n>x)]`,
		`^/[^]](?<n>x)`:              `^/[^]](x)`,
		`^/[\]](?<n>x)`:              `^/[\]](x)`,
		`^/[[:alpha:]](?<n>x)`:       `^/[[:alpha:]](x)`,
		`^/[[:^digit:]\d-z](?<n>x)`:  `^/[[:^digit:]\d-z](x)`,
		`^/[[](?<n>x)`:               `^/[[](x)`,
		`^/\\(?<n>x)`:                `^/\\(x)`,
		`^/(?=a)(?!b)(?<=/)(?<!c)x`:  `^/(?=a)(?!b)(?<=/)(?<!c)x`,
		`^/(?i)a(?s:b)(?i-s:c)(?-i)`: `^/(?i)a(?s:b)(?i-s:c)(?-i)`,
		`^/(?|(a)|(b))(?>c)`:         `^/(?|(a)|(b))(?>c)`,
	} {
		got, err := NewRegex(in)
		if err != nil || string(got) != want {
			t.Errorf("%s is read as %s (%v), want %s", in, got, err, want)
		}
	}
	// What the scanner cannot follow to the end is refused.
	for _, in := range []string{
		`(*LIMIT_MATCH=99999999)a`, `^/(*COMMIT)a`, `^/(*napla:a)`, `^/(?C1)a`, `^/(?#x)a`, `^/\Qa\E`, `^/\Q[\E(?<n>x)`, `^/[\Q]\E(?<n>x)]`,
		`^/\c\(?<n>x)`, `^/\c[(?<n>x)`, `^/(?x)a # (`, `^/(?ix: a)`, `^/(?J)(a)`, `^/(?R)`, `^/(a)(?1)`, `^/(?&n)`, `^/(?P>n)`, `^/(?P=n)`, `^/(a)(?(1)b)`,
		`^/(a)\g<1>`, `^/(a)\k<n>`, `^/a\Kb`, `^/\Ca`, `^/(?<n`, `^/(?<1n>a)`, `^/(?<>a)`, `^/(?'n>a)`, `^/(?[a])`, `^/(?`, `^/(?<n-m>x)`,
		`^/[[:]](?<n>x)`, `^/[[.a.]]`, `^/[[=a=]]`, `^/[a`, `^/[]`, `^/a\`,
	} {
		if got, err := NewRegex(in); err == nil {
			t.Errorf("%s is taken, as %s", in, got)
		}
	}
}

// FuzzGroups looks for an expression that still brings a name, in the eyes of
// Go's parser, and for one whose groups are numbered otherwise than they were.
func FuzzGroups(f *testing.F) {
	for _, s := range []string{`(?<n>a)`, `[(?<n>x)]\(?P<m>x)`, `(?'a'b)(?|(c)|(d))`, `[[:alpha:]](?<n>\])`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, err := NewRegex(s)
		if err != nil {
			return
		}
		after, err := regexp.Compile(string(clean))
		if err != nil {
			return
		}
		if names := strings.Join(after.SubexpNames(), ""); names != "" {
			t.Errorf("%q still names %s", clean, names)
		}
		if before, err := regexp.Compile(s); err == nil && before.NumSubexp() != after.NumSubexp() {
			t.Errorf("%q has %d groups, %q has %d", s, before.NumSubexp(), clean, after.NumSubexp())
		}
		if again, err := NewRegex(string(clean)); err != nil || again != clean {
			t.Errorf("%q is read again as %q (%v)", clean, again, err)
		}
	})
}
