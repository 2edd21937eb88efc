package translate

import (
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/model"
)

func TestBacktracks(t *testing.T) {
	for _, s := range []string{
		`^/(([a-z])+.)+[A-Z]([a-z])+$`, `^/(a+)+$`, `^/(a*)*b`, `^/(a|aa)+$`, `^/(\w+\d?)*x`, `^/(.*a)*b`, `^/((a|b)*c?)*d`, `^/([^/]+)*$`, `^/(x+x+)+y`, `^/(A|a[b-z]?|ab)*$`,
	} {
		if found, _ := backtracks(model.Regex(s)); !found {
			t.Errorf("%s can backtrack, and nothing is said", s)
		}
	}
	for _, s := range []string{
		`^/`, `^/foo(/|$)(.*)`, `^/([a-z]+/)*x`, `^/(.*)/(.*)/(.*)`, `^/v[0-9]+(\.[0-9]+)*/`, `^/(a|b|cd)*e`, `^/[^/]+/[^/]+\.(png|jpe?g)$`, `^/(?:[a-z0-9]+-)*[a-z0-9]+$`,
		`^/a{2,5}(b{1,3}c)*`, `^/(?!x)(a+)+`,
	} {
		if found, _ := backtracks(model.Regex(s)); found {
			t.Errorf("%s is said to backtrack", s)
		}
	}
	// What costs too much to look at ends.
	backtracks(model.Regex("^/" + strings.Repeat("(a|b?|c*)*", 300)))
	backtracks(model.Regex("^/((a{1,30}){1,30})*"))
}

func TestCheap(t *testing.T) {
	for _, s := range []string{
		`^/`, `^/foo(/|$)(.*)`, `^/v1/.*`, `^/[^/]+/x`, `^/(foo|bar|baz)/(.*)`, `^/wiki\(x\)`, `^/[]*+a]`, `^/[^]*+a]x*`, `^/[[:alpha:]*+]`, `^/(?:a|b).*`, `^/a\.b$`,
	} {
		if !cheap(model.Regex(s)) {
			t.Errorf("%s is said to be costly", s)
		}
	}
	for _, s := range []string{
		`^/(a+)+`, `^/.*/.*`, `^/(a)*`, `^/a|b.*c`, `^/(a|a)(a|a)(a|a)(a|a)`, `^/a?a?a?a?`, `^/(?=.*)`, `^/(?!x)`, `^/(a)\1*`, `^/(?>a)`, `^/(?i)a`, `^/a{1,3}b*`, `^/a*+a`, `/.*`,
	} {
		if cheap(model.Regex(s)) {
			t.Errorf("%s is said to be cheap", s)
		}
	}
}
