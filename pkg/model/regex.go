package model

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// NewRegex accepts a regular expression that has none of the faults that Go's
// and nginx's dialects agree on. Go's lacks what PCRE has (look-around, back
// references), so whether PCRE compiles the rest is left to nginx's own test.
//
// What is accepted is a subset of PCRE's syntax that is read here token by
// token, so that nothing can hide in it: what the scanner does not know is
// refused. Groups lose their names. To nginx a named group is a variable of
// the whole configuration, so that one tenant's group could stand in for a
// variable that all servers read; the numbers stay what they were.
func NewRegex(s string) (Regex, error) {
	if err := checkText(s); err != nil {
		return "", err
	}
	clean, err := (&regexScanner{rest: s}).scan()
	if err != nil {
		return "", err
	}
	var fault *syntax.Error
	if _, err := syntax.Parse(clean, syntax.Perl); errors.As(err, &fault) {
		switch fault.Code {
		case syntax.ErrMissingParen, syntax.ErrUnexpectedParen, syntax.ErrMissingBracket,
			syntax.ErrTrailingBackslash, syntax.ErrMissingRepeatArgument, syntax.ErrInvalidCharRange:
			return "", invalid("be a regular expression: %s: %s", fault.Code, Clip(fault.Expr))
		}
	}
	return Regex(clean), nil
}

// regexScanner copies an expression and leaves out the names of groups.
type regexScanner struct {
	rest string
	out  strings.Builder
}

// take copies the next n bytes.
func (r *regexScanner) take(n int) {
	r.out.WriteString(r.rest[:n])
	r.rest = r.rest[n:]
}

func (r *regexScanner) scan() (string, error) {
	for r.rest != "" {
		var err error
		switch r.rest[0] {
		case '\\':
			err = r.escape()
		case '[':
			err = r.class()
		case '(':
			err = r.group()
		default:
			r.take(1)
		}
		if err != nil {
			return "", err
		}
	}
	return r.out.String(), nil
}

// plainEscapes are the letters and digits that may follow a backslash. Not
// among them are those after which PCRE reads on in another way (\Q, \c), that
// call a group or name one (\g, \k), or that change what matched (\K, \C).
const plainEscapes = "dDwWsSbBhHvVRAzZntrfaexpP0123456789"

func (r *regexScanner) escape() error {
	if len(r.rest) < 2 {
		return invalid("be a regular expression: it ends in a backslash")
	}
	c := r.rest[1]
	if (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') && !strings.ContainsRune(plainEscapes, rune(c)) {
		return invalid(`be a regular expression without \%c`, c)
	}
	r.take(2)
	return nil
}

// posixClass is what may follow "[" in a class where ":", "." or "=" does.
var posixClass = regexp.MustCompile(`^\[:\^?[a-z]{1,10}:\]`)

func (r *regexScanner) class() error {
	r.take(1)
	if strings.HasPrefix(r.rest, "^") {
		r.take(1)
	}
	if strings.HasPrefix(r.rest, "]") {
		r.take(1) // an ordinary character in this place
	}
	for r.rest != "" {
		switch r.rest[0] {
		case ']':
			r.take(1)
			return nil
		case '\\':
			if err := r.escape(); err != nil {
				return err
			}
		case '[':
			n := 1
			if len(r.rest) > 1 && strings.ContainsRune(":.=", rune(r.rest[1])) {
				if n = len(posixClass.FindString(r.rest)); n == 0 {
					return invalid(`be a regular expression in which "[" inside of brackets is escaped`)
				}
			}
			r.take(n)
		default:
			r.take(1)
		}
	}
	return invalid("be a regular expression: missing closing ]")
}

var (
	// plainGroup begins a group that is no capture, looks around, or sets flags.
	// The flag x is not among them: it makes comments.
	plainGroup = regexp.MustCompile(`^\(\?(?:[:=!>|]|<[=!]|[ims]*(?:-[ims]+)?[:)])`)
	namedGroup = regexp.MustCompile(`^\(\?(?:P?<[A-Za-z_][A-Za-z0-9_]*>|'[A-Za-z_][A-Za-z0-9_]*')`)
)

func (r *regexScanner) group() error {
	switch {
	case strings.HasPrefix(r.rest, "(*"):
		return invalid("be a regular expression without verbs, such as (*COMMIT)")
	case !strings.HasPrefix(r.rest, "(?"):
		r.take(1)
		return nil
	}
	if name := namedGroup.FindString(r.rest); name != "" {
		r.out.WriteByte('(')
		r.rest = r.rest[len(name):]
		return nil
	}
	n := len(plainGroup.FindString(r.rest))
	if n == 0 {
		return invalid("be a regular expression whose groups begin with (, (?:, (?=, (?!, (?<=, (?<!, (?>, (?|, (?i), (?m) or (?s), not with %s", Clip(r.rest[:min(len(r.rest), 4)]))
	}
	r.take(n)
	return nil
}
