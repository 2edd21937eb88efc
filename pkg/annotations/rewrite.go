package annotations

import (
	"regexp"

	"github.com/sidegate/sidegate/pkg/model"
)

// Rewrite changes the URI on its way to the backend.
type Rewrite struct {
	Target          *model.Expr
	UseRegex        *bool
	AppRoot         *model.Expr
	ForwardedPrefix *model.Expr
}

var rewriteRows = []Row{
	{
		Name: "rewrite-target", Family: "rewrite", Type: "path with captures", Scope: ScopeLocation, Risk: RiskMedium,
		Doc:     "Replaces the whole URI; `$1` to `$9` are the captures of the path, which is a regular expression then, like every path of the host.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			if !rewriteTarget.MatchString(v) {
				return &model.InvalidError{Rule: "be a path of letters, digits and -._~/:?=&%+,@ with captures $1 to $9"}
			}
			e, err := model.NewExpr(v, capture)
			if err == nil {
				s.Rewrite.Target = &e
			}
			return err
		},
	},
	{
		Name: "use-regex", Family: "rewrite", Type: "bool", Scope: ScopeLocation, Risk: RiskLow, Default: "false",
		Doc:     "Makes every path of the host, of all its Ingresses, a case-insensitive regular expression that is anchored at its start.",
		Support: Supported,
		parse:   flag(func(s *Set) **bool { return &s.Rewrite.UseRegex }),
	},
	{
		Name: "app-root", Family: "rewrite", Type: "path", Scope: ScopeServer, Risk: RiskMedium,
		Doc:     "Redirects a request for exactly `/` to this path with 302.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			p, err := absolutePath(v)
			if err == nil {
				s.Rewrite.AppRoot = &p
			}
			return err
		},
	},
	{
		Name: "x-forwarded-prefix", Family: "xforwardedprefix", Type: "path", Scope: ScopeLocation, Risk: RiskMedium,
		Doc:     "The header X-Forwarded-Prefix for the backend; sent only together with rewrite-target.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			p, err := absolutePath(v)
			if err == nil {
				s.Rewrite.ForwardedPrefix = &p
			}
			return err
		},
	},
}

var (
	rewriteTarget = regexp.MustCompile(`^[-._~a-zA-Z0-9/:?=&%+,@$]+$`)
	plainPath     = regexp.MustCompile(`^/[-._~a-zA-Z0-9/:?=&%+,@#!]*$`)
)

// absolutePath accepts a path that becomes part of a header or a redirect.
func absolutePath(v string) (model.Expr, error) {
	if !plainPath.MatchString(v) {
		return "", &model.InvalidError{Rule: "be an absolute path of letters, digits and -._~/:?=&%+,@#!"}
	}
	return model.LiteralExpr(v)
}
