package explain

import (
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))`)

// expand replaces the variables whose values the request tells; others stay
// as they are.
func (e *explainer) expand(text string) string {
	r, h := e.request, &e.Config.HTTP
	known := map[string]string{
		"scheme":                r.scheme,
		"host":                  r.host,
		"sg_request_host":       r.authority(),
		"sg_best_http_host":     r.bestHost(h),
		"sg_pass_access_scheme": e.out.Request.Scheme,
		"request_uri":           r.target,
		"sg_uri":                r.plainPath(),
		"args":                  r.uri.args,
		"query_string":          r.uri.args,
		"is_args":               "",
	}
	if r.uri.args != "" {
		known["is_args"] = "?"
	}
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		if value, ok := known[strings.Trim(v, "${}")]; ok {
			return value
		}
		return v
	})
}
