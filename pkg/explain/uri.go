package explain

import (
	"fmt"
	"strings"
)

// uri is a request's path and query as nginx has read them.
type uri struct {
	// path is decoded, without dot segments and double slashes; it is bytes,
	// and need not be UTF-8.
	path string
	args string
	// encoded says that the path had percent signs or plus signs, on which
	// depends how captures are written into a query.
	encoded bool
}

// parseTarget reads a request line's target, which begins with a slash. It is
// nginx's ngx_http_parse_complex_uri: an escaped slash and escaped dots act as
// such, while an escaped percent sign, question mark or hash sign is an
// ordinary character.
func parseTarget(target string) (uri, error) {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f {
			return uri{}, &refusal{fmt.Sprintf("the path holds the character %q, which a client must escape", c)}
		}
	}
	path, args, _ := strings.Cut(target, "?")
	out := uri{args: args}
	w := pathWriter{}
	for i := 0; i < len(path); i++ {
		c := path[i]
		ordinary := false
		switch c {
		case '%':
			decoded, ok := unhex(path[i+1:])
			if !ok {
				return uri{}, &refusal{"a percent sign of the path is not followed by two hexadecimal digits"}
			}
			if decoded == 0 {
				return uri{}, &refusal{"the path holds %00"}
			}
			c, i = decoded, i+2
			ordinary = c == '%' || c == '?' || c == '#'
			out.encoded = true
		case '+':
			out.encoded = true
		}
		if !w.add(c, ordinary) {
			return uri{}, aboveRoot
		}
	}
	if !w.segment() {
		return uri{}, aboveRoot
	}
	out.path = string(w.out)
	return out, nil
}

var aboveRoot = &refusal{"the path goes above the root"}

// pathWriter takes a path's characters and resolves its segments as it goes.
type pathWriter struct {
	out []byte
	// dots counts the characters of the current segment as long as all of
	// them are dots and there are at most two; -1 is any other segment.
	dots int
}

// add takes a character; it returns false where a segment leads above the
// root.
func (w *pathWriter) add(c byte, ordinary bool) bool {
	switch {
	case c == '/' && !ordinary:
		if len(w.out) == 0 {
			w.out, w.dots = append(w.out, '/'), 0
			return true
		}
		ok := w.segment()
		if w.out[len(w.out)-1] != '/' {
			w.out = append(w.out, '/')
		}
		w.dots = 0
		return ok
	case c == '.' && !ordinary && w.dots >= 0 && w.dots < 2:
		w.dots++
	default:
		w.dots = -1
	}
	w.out = append(w.out, c)
	return true
}

// segment resolves the segment that has come to its end; it returns false
// where that leads above the root.
func (w *pathWriter) segment() bool {
	switch w.dots {
	case 1:
		w.out = w.out[:len(w.out)-1]
	case 2:
		// The parent ends before the slash in front of "/..".
		n := len(w.out) - len("/..")
		if n <= 0 {
			w.out = w.out[:1]
			return false
		}
		w.out = w.out[:strings.LastIndexByte(string(w.out[:n]), '/')+1]
	}
	return true
}

// unhex decodes two hexadecimal digits.
func unhex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	var out byte
	for _, c := range []byte(s[:2]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		out = out<<4 | c
	}
	return out, true
}

// The characters that nginx escapes in a path that it has changed, and those
// that it escapes besides in a query.
const (
	escapedInPath = " \"#%<>?\\^`{|}\x7f"
	escapedInArgs = escapedInPath + "&+;"
)

func escape(s, set string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x80 || strings.IndexByte(set, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescapeRedirect undoes as much of the escaping as nginx does in the target
// of a redirect: up to a question mark, and what can stand in a URL.
func unescapeRedirect(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if d, ok := unhex(s[i+1:]); c == '%' && ok && d > '%' && d < 0x7f {
			c, i = d, i+2
		}
		b.WriteByte(c)
		if c == '?' {
			b.WriteString(s[i+1:])
			break
		}
	}
	return b.String()
}
