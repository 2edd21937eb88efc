package explain

import (
	"regexp"
	"strings"
)

// nginx's expressions are PCRE's and see bytes. Go's see runes and fold the
// case of all of Unicode, so bytes beyond ASCII are put where Unicode has no
// letters: into the private use area.
const privateArea = 0xe000

func bytesAsRunes(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] < 0x80 {
			b.WriteByte(s[i])
		} else {
			b.WriteRune(privateArea + rune(s[i]))
		}
	}
	return b.String()
}

func runesAsBytes(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r >= privateArea {
			r -= privateArea
		}
		out = append(out, byte(r))
	}
	return string(out)
}

// expression is a regular expression of nginx.conf.
type expression struct {
	text string
	re   *regexp.Regexp
}

// newExpression reads one that ignores case. Where Go has no such expression
// the result's re is nil.
func newExpression(text string) expression {
	re, err := regexp.Compile("(?is)" + bytesAsRunes(text))
	if err != nil {
		re = nil
	}
	return expression{text, re}
}

// match returns the captures of the subject, the whole match first, or nil.
// unsure says why nginx may see it otherwise.
func (e expression) match(subject string) (captures []string, unsure string) {
	if e.re == nil {
		return nil, "Go cannot read the expression " + e.text + ", which PCRE may well know"
	}
	if strings.HasSuffix(subject, "\n") && strings.Contains(e.text, "$") {
		unsure = "PCRE lets $ match in front of a newline at the end of the path, Go does not"
	}
	captures = e.re.FindStringSubmatch(bytesAsRunes(subject))
	for i := range captures {
		captures[i] = runesAsBytes(captures[i])
	}
	return captures, unsure
}
