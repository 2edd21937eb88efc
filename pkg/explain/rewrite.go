package explain

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// rewritten is what a rewrite makes of a request.
type rewritten struct {
	captures []string
	// target is what the backend is asked for, or, with redirect, where the
	// client is sent.
	target   string
	redirect bool
	// fault is why nginx answers 500.
	fault  string
	unsure string
	// matches says that the pattern matches; otherwise nothing changes.
	matches bool
}

// rewrite does what nginx's rewrite directive and its proxy module do.
func rewrite(r *model.Rewrite, u uri) rewritten {
	text := strings.TrimPrefix(string(r.Pattern), "(?i)")
	captures, unsure := newExpression(text).match(u.path)
	out := rewritten{captures: captures, unsure: unsure, matches: captures != nil}
	if captures == nil {
		return out
	}
	target := string(r.Target)
	for _, prefix := range []string{"http://", "https://", "$scheme"} {
		out.redirect = out.redirect || strings.HasPrefix(target, prefix)
	}
	// A question mark at the end keeps the request's own query away.
	target, dropArgs := strings.CutSuffix(target, "?")
	path, args, hasArgs := strings.Cut(target, "?")
	path = insert(path, captures, out.redirect && u.encoded)
	args = insert(args, captures, u.encoded)
	if out.redirect {
		if hasArgs {
			path += "?" + args
		}
		path = unescapeRedirect(path)
		if !dropArgs && u.args != "" {
			path += separator(hasArgs) + u.args
		}
		out.target = path
		return out
	}
	if path == "" {
		out.fault = "the rewritten path is empty"
		return out
	}
	if !dropArgs && u.args != "" {
		if hasArgs {
			args += "&" + u.args
		} else {
			args = u.args
		}
	}
	out.target = escape(path, escapedInPath)
	if args != "" {
		out.target += "?" + args
	}
	return out
}

func separator(hasArgs bool) string {
	if hasArgs {
		return "&"
	}
	return "?"
}

// insert puts the captures in the place of $1 to $9.
func insert(text string, captures []string, escaped bool) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) || text[i+1] < '1' || text[i+1] > '9' {
			b.WriteByte(text[i])
			continue
		}
		i++
		n := int(text[i] - '0')
		if n >= len(captures) {
			continue
		}
		if escaped {
			b.WriteString(escape(captures[n], escapedInArgs))
		} else {
			b.WriteString(captures[n])
		}
	}
	return b.String()
}
