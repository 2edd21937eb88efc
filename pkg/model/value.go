package model

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxToken is the longest token of nginx.conf, as it is written: with its
// quotes and escapes. nginx reads tokens into a buffer of 4096 bytes.
const MaxToken = 4095

// maxValue is the longest value that may become one, as it is written. The
// rest of MaxToken is for what templates and translations put around a value
// ("path=", the way back of auth-signin), so that whatever a constructor
// accepts can be rendered.
const maxValue = 3500

// Written is the length of a token that holds s: quotes and backslashes are
// escaped, and quotes stand around it.
func Written(s string) int {
	return len(s) + strings.Count(s, `\`) + strings.Count(s, `"`) + 2
}

// InvalidError says which rule a value broke. The text is a phrase that
// follows "must": "must be a whole number of seconds".
type InvalidError struct{ Rule string }

func (e *InvalidError) Error() string { return "must " + e.Rule }

func invalid(format string, args ...any) error {
	return &InvalidError{Rule: fmt.Sprintf(format, args...)}
}

// The types of value that templates can print. A plain string is printed as
// one quoted token and may hold no variable; the types below say what else a
// value is.
type (
	// Ident is printed bare: a name of an upstream, a zone, a variable part.
	Ident string
	// Expr is printed quoted and may hold nginx variables from a list.
	Expr string
	// Regex is printed quoted. nginx does not interpolate variables in
	// regular expressions, so "$" is an anchor.
	Regex string
	// Path is a location's path, printed quoted. nginx does not interpolate
	// variables there, so "$" is an ordinary character.
	Path string
	// Size is printed bare: "8k", "1m", "0".
	Size string
	// Duration is printed bare, in seconds or milliseconds.
	Duration time.Duration
	// Switch is printed as "on" or "off".
	Switch bool
	// Raw is printed as it is. It is made only by NewRaw.
	Raw struct{ text string }
)

// NewRaw makes text that templates print unquoted. It exists for snippets and
// for parts that the program itself wrote; never for a user's value.
func NewRaw(text string) Raw { return Raw{text: text} }

// String returns the text.
func (r Raw) String() string { return r.text }

// MarshalJSON lets a dump of the model show the text.
func (r Raw) MarshalJSON() ([]byte, error) { return json.Marshal(r.text) }

// String returns the value in nginx's notation: "60s", or "1500ms" where
// seconds do not express it.
func (d Duration) String() string {
	t := time.Duration(d)
	if t%time.Second == 0 {
		return strconv.FormatInt(int64(t/time.Second), 10) + "s"
	}
	return strconv.FormatInt(t.Milliseconds(), 10) + "ms"
}

// MarshalText shows the value in dumps as nginx would read it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// checkText refuses what no token of nginx.conf may hold.
func checkText(s string) error {
	switch {
	case Written(s) > maxValue:
		return invalid("be at most %d bytes long with its quotes and backslashes escaped, not %d", maxValue, Written(s))
	case !utf8.ValidString(s):
		return invalid("be valid UTF-8")
	}
	for _, r := range s {
		if r < 0x20 || r == 0x7f {
			return invalid("hold no control character (found %U)", r)
		}
	}
	return nil
}

// Text accepts a plain string: no control characters and no "$", which nginx
// would take for a variable.
func Text(s string) (string, error) {
	if err := checkText(s); err != nil {
		return "", err
	}
	if strings.Contains(s, "$") {
		return "", invalid("hold no %q: variables are not allowed here", "$")
	}
	return s, nil
}

var identPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,400}$`)

// NewIdent accepts letters, digits, "_", "." and "-".
func NewIdent(s string) (Ident, error) {
	if !identPattern.MatchString(s) {
		return "", invalid("consist of letters, digits, '_', '.' and '-'")
	}
	return Ident(s), nil
}

var variablePattern = regexp.MustCompile(`\$(\{)?([A-Za-z0-9_]*)(\})?`)

// NewExpr accepts text that may hold the variables for which allowed answers
// true; the name is given without "$". Numbered captures are variables too.
func NewExpr(s string, allowed func(name string) bool) (Expr, error) {
	if err := checkText(s); err != nil {
		return "", err
	}
	for _, m := range variablePattern.FindAllStringSubmatch(s, -1) {
		switch {
		case m[2] == "" || (m[1] == "") != (m[3] == "") && m[1] != "":
			return "", invalid("hold %q only in front of a variable's name", "$")
		case !allowed(m[2]):
			return "", invalid("not use the variable $%s", m[2])
		}
	}
	return Expr(s), nil
}

// LiteralExpr turns text without variables into an Expr.
func LiteralExpr(s string) (Expr, error) {
	t, err := Text(s)
	return Expr(t), err
}

// NewPath accepts an absolute URL path for a location.
func NewPath(s string) (Path, error) {
	if err := checkText(s); err != nil {
		return "", err
	}
	if !strings.HasPrefix(s, "/") {
		return "", invalid("begin with '/'")
	}
	return Path(s), nil
}

var sizePattern = regexp.MustCompile(`^[0-9]{1,9}[kKmMgG]?$`)

// NewSize accepts a number of bytes with an optional unit k, m or g.
func NewSize(s string) (Size, error) {
	if !sizePattern.MatchString(s) {
		return "", invalid("be a size: a whole number of bytes, or one with the unit k, m or g")
	}
	return Size(s), nil
}

// maxSeconds keeps times inside what nginx's parser holds in milliseconds.
const maxSeconds = 10 * 365 * 24 * 3600

// NewSeconds accepts a whole number of seconds, zero or more.
func NewSeconds(s string) (Duration, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxSeconds {
		return 0, invalid("be a whole number of seconds from 0 to %d", maxSeconds)
	}
	return Duration(time.Duration(n) * time.Second), nil
}

var durationPattern = regexp.MustCompile(`^([0-9]{1,9})(ms|s|m|h|d)?$`)

// NewDuration accepts nginx's notation with one unit: 240s, 10m, 1h.
func NewDuration(s string) (Duration, error) {
	m := durationPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, invalid("be a time such as 500ms, 60s, 10m or 1h")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, invalid("be a time such as 500ms, 60s, 10m or 1h")
	}
	units := map[string]time.Duration{
		"ms": time.Millisecond, "": time.Second, "s": time.Second,
		"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	unit := units[m[2]]
	d := time.Duration(n) * unit
	if time.Duration(n) > maxSeconds*time.Second/unit {
		return 0, invalid("be at most %d seconds", maxSeconds)
	}
	return Duration(d), nil
}

// NewBool accepts what strconv.ParseBool does.
func NewBool(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, invalid("be true or false")
	}
	return b, nil
}

// NewInt accepts a whole number from low to high.
func NewInt(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, invalid("be a whole number from %d to %d", low, high)
	}
	return n, nil
}

// NewEnum accepts one of the words.
func NewEnum(s string, words ...string) (string, error) {
	for _, w := range words {
		if s == w {
			return s, nil
		}
	}
	return "", invalid("be one of %s", strings.Join(words, ", "))
}

// NewPrefixes accepts a comma-separated list of CIDRs or single addresses.
func NewPrefixes(s string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, item := range SplitList(s) {
		if p, err := netip.ParsePrefix(item); err == nil {
			out = append(out, p.Masked())
			continue
		}
		a, err := netip.ParseAddr(item)
		if err != nil || a.Zone() != "" {
			return nil, invalid("be a comma-separated list of CIDRs, such as 10.0.0.0/8,2001:db8::/32; %q is none", Clip(item))
		}
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	if len(out) == 0 {
		return nil, invalid("name at least one CIDR")
	}
	return out, nil
}

var headerPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// NewHeader accepts the name of an HTTP header.
func NewHeader(s string) (Ident, error) {
	if !headerPattern.MatchString(s) {
		return "", invalid("be the name of a header: letters, digits, '-' and '_'")
	}
	return Ident(s), nil
}

var hostPattern = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// NewHost accepts a lower-case DNS name, or one with "*." in front of it.
func NewHost(s string) (string, error) {
	if len(s) > 253 || !hostPattern.MatchString(s) {
		return "", invalid("be a lower-case DNS name, such as foo.bar.com or *.bar.com")
	}
	return s, nil
}

// SplitList splits a comma-separated list and drops blanks.
func SplitList(s string) []string {
	var out []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
